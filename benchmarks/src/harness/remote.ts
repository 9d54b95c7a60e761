import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Actions } from './child.js'

const PROGRAM = fileURLToPath(new URL('child.js', import.meta.url))

/** A subject's process, as its parent sees it: one request at a time. */
export class Remote {
  readonly #process: ChildProcess

  constructor() {
    this.#process = fork(PROGRAM, { serialization: 'advanced' })
  }

  /** Has the process do one thing and waits for it. Rejects where the process ends instead. */
  async do<Name extends keyof Actions>(
    action: Name,
    ...args: Parameters<Actions[Name]>
  ): Promise<Awaited<ReturnType<Actions[Name]>>> {
    const answer = new Promise<{ result?: unknown; error?: string }>((resolve, reject) => {
      const ended = (code: number | null, signal: string | null): void =>
        reject(new Error(`its process ended: ${signal ?? code}`))
      this.#process.once('exit', ended)
      this.#process.once('message', message => {
        this.#process.off('exit', ended)
        resolve(message as object)
      })
    })
    this.#process.send({ action, args })
    const { result, error } = await answer
    if (error !== undefined) throw new Error(`${action} failed: ${error}`)
    return result as Awaited<ReturnType<Actions[Name]>>
  }

  /** Lets the process end. */
  end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null)
      return Promise.resolve()
    const ended = new Promise<void>(resolve => this.#process.once('exit', () => resolve()))
    if (this.#process.connected) this.#process.disconnect()
    return ended
  }
}
