import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { L2Error, type L2ErrorCode } from '@l2/core'
import { onTestFinished } from 'vitest'

const PROGRAM = fileURLToPath(new URL('child.mjs', import.meta.url))

interface Answer {
  readonly ready?: true
  readonly id?: number
  readonly result?: unknown
  readonly error?: { name: string; message: string; code?: L2ErrorCode; retryable?: boolean }
}

/** Another process that does what `child.mjs` can. */
export class Child {
  readonly process: ChildProcess
  readonly ready: Promise<void>
  readonly #pending = new Map<number, PromiseWithResolvers>()
  #lastId = 0

  constructor(options: ForkOptions = {}) {
    this.process = fork(PROGRAM, { serialization: 'advanced', execArgv: [], ...options })
    this.ready = new Promise((resolve, reject) => {
      this.process.on('message', (answer: Answer) => {
        if (answer.ready) resolve()
        else this.#settle(answer)
      })
      this.process.once('exit', (code, signal) => {
        const error = new Error(`the child ended: ${signal ?? code}`)
        reject(error)
        for (const { reject } of this.#pending.values()) reject(error)
      })
    })
    this.ready.catch(() => {})
  }

  /** Has the child do one action. `onId` gets the id that an `abort` names. */
  do<T>(action: string, args: unknown[], onId?: (id: number) => void): Promise<T> {
    const id = ++this.#lastId
    onId?.(id)
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.process.send({ id, action, args }, error => error && reject(error))
    })
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return Promise.resolve()
    const ended = new Promise<void>(resolve => this.process.once('exit', () => resolve()))
    this.process.kill(signal)
    return ended
  }

  #settle({ id, result, error }: Answer): void {
    const pending = this.#pending.get(id ?? 0)
    this.#pending.delete(id ?? 0)
    if (error === undefined) pending?.resolve(result)
    else if (error.code === undefined) pending?.reject(Object.assign(new Error(), error))
    else pending?.reject(new L2Error(error.code, error.message, { retryable: !!error.retryable }))
  }
}

interface PromiseWithResolvers {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** A child for one test, killed when the test is over. */
export async function startChild(options?: ForkOptions): Promise<Child> {
  const child = new Child(options)
  onTestFinished(() => child.kill())
  await child.ready
  return child
}
