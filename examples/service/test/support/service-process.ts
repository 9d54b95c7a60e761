import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { CacheStats } from '@l2/cache'
import { onTestFinished } from 'vitest'
import type { Ground } from './backends.js'

/** One line of the service's log. */
interface Line {
  readonly level: string
  readonly msg: string
  readonly port?: number
}

/** How a process ended. */
interface End {
  readonly code: number | null
  readonly signal: string | null
  readonly log: readonly Line[]
  readonly stderr: string
}

/** The service as its users start it: built, in a process of its own. */
export interface Service {
  readonly url: string
  get(path: string, init?: RequestInit): Promise<Answer>
  put(path: string, body?: object): Promise<Answer>
  stats(): Promise<CacheStats>
  log(): readonly Line[]
  /** Asks it to end, and waits until it has. */
  stop(signal?: NodeJS.Signals): Promise<End>
}

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: what it is the test says.
  readonly body: any
}

/** Starts it on a free port. Killed when the test is over, if it still runs. */
export async function startService(
  { program, folder, env }: Ground,
  more: Record<string, string> = {},
): Promise<Service> {
  const file = fileURLToPath(new URL(`../../dist/${program}.js`, import.meta.url))
  const child = spawn(process.execPath, [file], {
    cwd: folder,
    env: { ...process.env, PORT: '0', ...env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let stderr = ''
  child.stderr.on('data', chunk => (stderr += chunk))
  const log: Line[] = []
  const port = await new Promise<number>((resolve, reject) => {
    createInterface(child.stdout).on('line', text => {
      const line: Line = JSON.parse(text)
      log.push(line)
      if (line.port !== undefined) resolve(line.port)
    })
    ended.then(([code]) => reject(new Error(`the service ended early (${code}): ${stderr}`)))
  })

  const url = `http://127.0.0.1:${port}`
  const ask = async (path: string, init?: RequestInit): Promise<Answer> => {
    const response = await fetch(url + path, init)
    return { status: response.status, body: await response.json() }
  }
  return {
    url,
    get: ask,
    put: (path, body) => ask(path, { method: 'PUT', ...(body && { body: JSON.stringify(body) }) }),
    stats: async () => (await ask('/stats')).body,
    log: () => log,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      const [code, by] = await ended
      return { code, signal: by, log, stderr }
    },
  }
}
