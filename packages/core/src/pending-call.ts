import { onAbort } from './abort.js'
import type { Call } from './backend.js'
import type { Deadline, Deadlines } from './deadlines.js'

/** One call until its caller has been answered: by the backend, its deadline or its signal. */
export class PendingCall implements Call {
  abandoned = false
  readonly background: boolean
  #listener: (() => void) | undefined
  /** Those of a round trip that goes over several connections. Most have one listener. */
  #others: Set<() => void> | undefined

  constructor(background = false) {
    this.background = background
  }

  onAbandon(listener: () => void): void {
    if (this.abandoned) listener()
    else if (this.#listener === undefined || this.#listener === listener) this.#listener = listener
    else {
      this.#others ??= new Set()
      this.#others.add(listener)
    }
  }

  /** Tells the backend that nobody waits any more. */
  abandon(): void {
    this.abandoned = true
    const listeners = [this.#listener, ...(this.#others ?? [])]
    this.#forget()
    for (const listener of listeners) {
      try {
        listener?.()
      } catch {
        // Its caller has been answered, and the other calls of the same signal are not to suffer.
      }
    }
  }

  #forget(): void {
    this.#listener = undefined
    this.#others = undefined
  }

  /** Settles as `work` does, unless the deadline passes or `signal` aborts first. */
  settle<T>(
    work: Promise<T>,
    operation: string,
    signal: AbortSignal | undefined,
    owner: CallOwner,
  ): Promise<T> {
    const { deadlines } = owner
    return new Promise<T>((resolve, reject) => {
      let deadline: Deadline | undefined
      let offAbort: (() => void) | undefined
      let settled = false
      const finish = (): boolean => {
        if (settled) return false
        settled = true
        if (deadline !== undefined) deadlines.clear(deadline)
        offAbort?.()
        owner.onSettled()
        return true
      }
      const giveUp = (reason: unknown): void => {
        if (!finish()) return
        reject(reason)
        this.abandon()
      }
      const answered = (): boolean => {
        // The connections that it would have cut go on to serve others.
        this.#forget()
        return finish()
      }
      work.then(
        value => answered() && resolve(value),
        (error: unknown) => answered() && reject(owner.failure(operation, error)),
      )
      // Its backend may have taken long to start, or aborted it.
      if (signal?.aborted) return giveUp(signal.reason)
      offAbort = signal && onAbort(signal, () => giveUp(signal.reason))
      deadline = deadlines.set(() => {
        deadline = undefined
        // Once the event loop was blocked for the whole timeout, the timer comes before the answer
        // that has long arrived. One more turn lets it in.
        setImmediate(() => settled || giveUp(owner.timedOut(operation)))
      })
    })
  }
}

/** Whose calls they are. One for all of an adapter: an object for each call would be garbage. */
export interface CallOwner {
  readonly deadlines: Deadlines
  /** Makes the error to reject with at the deadline. */
  timedOut(operation: string): Error
  /** Makes the error to reject with where the backend failed. */
  failure(operation: string, error: unknown): Error
  /** Called once a call, before its caller is answered. */
  onSettled(): void
}
