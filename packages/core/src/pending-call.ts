import { onAbort } from './abort.js'
import type { Call } from './backend.js'

/** One call until its caller has been answered: by the backend, its deadline or its signal. */
export class PendingCall implements Call {
  abandoned = false
  readonly background: boolean
  #listener: (() => void) | undefined

  constructor(background = false) {
    this.background = background
  }

  onAbandon(listener: () => void): void {
    if (this.abandoned) listener()
    else this.#listener = listener
  }

  /** Tells the backend that nobody waits any more. */
  abandon(): void {
    this.abandoned = true
    const listener = this.#listener
    this.#listener = undefined
    try {
      listener?.()
    } catch {
      // Its caller has been answered, and the other calls of the same signal are not to suffer.
    }
  }

  /**
   * Settles as `work` does, unless the deadline passes or `signal` aborts first.
   *
   * @param timeout ms from now; 0 = none.
   * @param timedOut makes the error to reject with at the deadline.
   */
  settle<T>(
    work: Promise<T>,
    timeout: number,
    signal: AbortSignal | undefined,
    timedOut: () => Error,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      let offAbort: (() => void) | undefined
      let settled = false
      const finish = (): boolean => {
        if (settled) return false
        settled = true
        clearTimeout(timer)
        offAbort?.()
        return true
      }
      const giveUp = (reason: unknown): void => {
        if (!finish()) return
        reject(reason)
        this.abandon()
      }
      const answered = (): boolean => {
        // The connection that it would have cut goes on to serve others.
        this.#listener = undefined
        return finish()
      }
      work.then(
        value => answered() && resolve(value),
        (error: unknown) => answered() && reject(error),
      )
      // Its backend may have taken long to start, or aborted it.
      if (signal?.aborted) return giveUp(signal.reason)
      offAbort = signal && onAbort(signal, () => giveUp(signal.reason))
      // Once the event loop was blocked for the whole timeout, the timer comes before the answer
      // that has long arrived. One more turn lets it in.
      const onTimeout = (): void => void setImmediate(() => settled || giveUp(timedOut()))
      if (timeout > 0) timer = setTimeout(onTimeout, timeout).unref()
    })
  }
}
