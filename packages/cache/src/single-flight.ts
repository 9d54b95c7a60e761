/**
 * Work that several callers wait for. Each may give up without failing the others; once all have,
 * the work itself is told to stop.
 */
export class Flight<T> {
  readonly #result: Promise<T>
  #resolve!: (value: T) => void
  #reject!: (error: unknown) => void
  #callers = 0
  #controller: AbortController | undefined
  #abandon: (() => void) | undefined
  #reason: unknown

  /** @param abandon is called once, when the last caller has given up: nobody will see the result. */
  constructor(abandon: () => void) {
    this.#abandon = abandon
    this.#result = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Callers who gave up have been answered already; the others get promises of their own.
    this.#result.catch(() => {})
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

  /** Settles the flight as `work` does. */
  follow(work: Promise<T>): void {
    work.then(this.#resolve, this.#reject)
  }

  /**
   * The result, for one more caller.
   *
   * @param signal lets this caller alone give up, at once and with `signal.reason`. Not aborted yet.
   */
  join(signal: AbortSignal | undefined): Promise<T> {
    this.#callers++
    return signal === undefined ? this.#result : this.#joinUntil(signal)
  }

  #joinUntil(signal: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => {
        reject(signal.reason)
        if (--this.#callers === 0) this.#giveUp(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      const settle = (): void => {
        signal.removeEventListener('abort', onAbort)
        resolve(this.#result)
      }
      this.#result.then(settle, settle)
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
