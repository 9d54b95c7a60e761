import { onAbort } from './abort.js'
import type { Call } from './backend.js'

/** One call until its caller has been answered: by the backend, its deadline or its signal. */
export class PendingCall implements Call {
  abandoned = false
  #listener: (() => void) | undefined

  onAbandon(listener: () => void): void {
    this.#listener = listener
  }

  /**
   * Settles as `work` does, unless the deadline passes or `signal` aborts first.
   *
   * @param timeout ms from now; 0 = none.
   * @param timedOut makes the error to reject with at the deadline.
   */
  settle<T>(
    work: PromiseLike<T>,
    timeout: number,
    signal: AbortSignal | undefined,
    timedOut: () => Error,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let settled = false
      const finish = (): boolean => {
        if (settled) return false
        settled = true
        clearTimeout(timer)
        offAbort?.()
        return true
      }
      const abandon = (reason: unknown): void => {
        if (!finish()) return
        this.abandoned = true
        reject(reason)
        this.#listener?.()
      }
      // Once the event loop was blocked for the whole timeout, the timer comes before the answer
      // that has long arrived. One more turn lets it in.
      const onTimeout = (): void => void setImmediate(() => abandon(timedOut()))
      const timer = timeout > 0 ? setTimeout(onTimeout, timeout).unref() : undefined
      const offAbort = signal && onAbort(signal, () => abandon(signal.reason))
      work.then(
        value => finish() && resolve(value),
        (error: unknown) => finish() && reject(error),
      )
    })
  }
}
