import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Round } from './borders.js'
import type { Reply, Request } from './second-process.js'

/** Starts the second process on the cache file at `path`. */
export function startSecondProcess(path: string) {
  const child = fork(new URL('./second-process.js', import.meta.url), [path])
  const exit = once(child, 'exit')
  const ended = exit.then(([code, signal]) => {
    throw new Error(`the second process ended too early (${code ?? signal})`)
  })
  // Also rejects at the orderly end, when nobody waits for it any more.
  ended.catch(() => {})

  async function call(request: Request): Promise<Reply> {
    child.send(request)
    const [reply] = await Promise.race([once(child, 'message'), ended])
    return reply
  }

  return {
    ask: () => call({}) as Promise<Round>,
    deleteByTag: (tag: string) => call({ deleteByTag: tag }),
    async end() {
      child.disconnect()
      const [code, signal] = await exit
      if (code !== 0) throw new Error(`the second process ended badly (${code ?? signal})`)
    },
  }
}
