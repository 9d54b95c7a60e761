import { onAbort } from '@l2/core'

/**
 * Work that several callers wait for. Each may give up without failing the others; once all have,
 * the work itself is told to stop.
 */
export class Flight<T> {
  #result: Promise<T> | undefined
  #callers = 0
  #controller: AbortController | undefined
  #abandon: (() => void) | undefined
  #reason: unknown

  /** @param abandon is called once, when the last caller has given up: nobody will see the result. */
  constructor(abandon: () => void) {
    this.#abandon = abandon
  }

  /** Aborts when every caller has given up. Made when first asked for: few factories look at it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.abandoned) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Whether every caller has given up. */
  get abandoned(): boolean {
    return this.#abandon === undefined
  }

  /** Starts the work. Its first caller joins next. */
  start(work: () => Promise<T>): void {
    this.#result = work()
    // Callers who gave up have been answered already; the others get promises of their own.
    this.#result.catch(() => {})
  }

  /**
   * The result, for one more caller.
   *
   * @param signal lets this caller alone give up, at once and with `signal.reason`.
   */
  join(signal: AbortSignal | undefined): Promise<T> {
    const result = this.#result
    // Asked for by the work itself while it was being started.
    if (result === undefined) return Promise.resolve().then(() => this.join(signal))
    this.#callers++
    return signal === undefined ? result : this.#joinUntil(signal, result)
  }

  #joinUntil(signal: AbortSignal, result: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const leave = (): void => {
        reject(signal.reason)
        if (--this.#callers === 0) this.#giveUp(signal.reason)
      }
      // It may have aborted while the work was being started.
      if (signal.aborted) return leave()
      const forget = onAbort(signal, leave)
      const settle = (): void => {
        forget()
        resolve(result)
      }
      result.then(settle, settle)
    })
  }

  #giveUp(reason: unknown): void {
    const abandon = this.#abandon
    this.#abandon = undefined
    this.#reason = reason
    abandon?.()
    this.#controller?.abort(reason)
  }
}
