import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'

const withServices = fileURLToPath(new URL('../scripts/with-services.mjs', import.meta.url))
const waiting = `
  const { pid, env } = process
  console.log(JSON.stringify({ pid, urls: [env.L2_REDIS_URL, env.L2_POSTGRES_URL] }))
  setInterval(() => {}, 1000)
`

/** Commands outlive a launcher that was killed with -9: only its servers are its own to end. */
const commands: number[] = []
const folders: string[] = []
afterEach(() => {
  for (const pid of commands.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

test.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)('servers stop on %s', async signal => {
  const { launcher, left } = await launch(waiting)
  expect(await left()).toEqual({ listening: [true, true], files: 1 })

  launcher.kill(signal)

  // After SIGKILL nobody is left to tell when it is done.
  await expect.poll(left, { timeout: 15_000, interval: 100 }).toEqual(nothing)
})

test('servers stop when the command has ended, and its exit code is passed on', async () => {
  const { ended, left } = await launch(`${waiting}; setTimeout(() => process.exit(7), 100)`)

  expect(await ended).toBe(7)
  expect(await left()).toEqual(nothing)
})

const nothing = { listening: [false, false], files: 0 }

async function launch(script: string) {
  const temporary = mkdtempSync(join(tmpdir(), 'l2-test-'))
  folders.push(temporary)
  // As /tmp is: what root starts runs as someone else.
  chmodSync(temporary, 0o755)
  // Without the servers that this run itself was given.
  const { L2_REDIS_URL, L2_POSTGRES_URL, ...inherited } = process.env
  const launcher = spawn(process.execPath, [withServices, process.execPath, '-e', script], {
    env: { ...inherited, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | null>(resolve => launcher.once('exit', resolve))
  const { pid, urls } = await firstReport(launcher)
  commands.push(pid)
  const left = async () => ({
    listening: await Promise.all(urls.map(url => isListening(Number(new URL(url).port)))),
    files: readdirSync(temporary).length,
  })
  return { launcher, ended, left }
}

async function firstReport({ stdout }: ChildProcess): Promise<{ pid: number; urls: string[] }> {
  if (!stdout) throw new Error('its output is not piped')
  for await (const line of createInterface({ input: stdout })) {
    if (line.startsWith('{')) return JSON.parse(line)
  }
  throw new Error('the launcher ended before its command ran')
}

function isListening(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
