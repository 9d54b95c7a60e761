import type { Awaitable, Call } from '@l2/core'
import { isBusy } from './sqlite-errors.js'

/** What a call may change: one key, all of them, or nothing that a read would see. */
export type Touches = string | typeof EVERYTHING | typeof NOTHING
export const EVERYTHING = Symbol('everything')
export const NOTHING = Symbol('nothing')

/**
 * A lock is tried again this often, in ms: an attempt costs about 10 µs, and other writers let go
 * of it after a few ms. Apart, so that several who wait don't meet at each attempt.
 */
const RETRY_MIN = 1
const RETRY_SPREAD = 3

/** Waiting calls that run in one go keep the event loop no longer than this, in ms. */
const TURN = 4

interface Waiting {
  readonly touches: Touches
  /** Answers the caller, or tells that the lock is still held. */
  readonly attempt: () => boolean
  readonly background: boolean
}

/**
 * Runs the calls of one adapter in the order they were made: at once where nothing waits, and
 * behind those that wait for a lock otherwise. Waiting never blocks the event loop.
 */
export class CallQueue {
  // A Set keeps the order, and forgets any of them at once.
  readonly #waiting = new Set<Waiting>()
  /** How many of those that wait touch what. */
  readonly #touched = new Map<Touches, number>()
  #timer: NodeJS.Timeout | undefined

  /**
   * @param touches what the call changes; for a read, what it reads.
   * @param work is synchronous, and runs again from its start after it met a lock. Never runs once
   * the call is abandoned.
   * @param mayOvertake whether it may pass waiting calls that don't touch the same: reads, which
   * no writer locks out.
   */
  run<T>(call: Call, touches: Touches, work: () => T, mayOvertake = false): Awaitable<T> {
    if (this.#waiting.size === 0 || (mayOvertake && !this.#isTouched(touches))) {
      try {
        return work()
      } catch (error) {
        if (!isBusy(error)) throw error
      }
    }
    return this.#wait(call, touches, work)
  }

  #wait<T>(call: Call, touches: Touches, work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const attempt = (): boolean => {
        try {
          resolve(work())
        } catch (error) {
          if (isBusy(error)) return false
          reject(error)
        }
        return true
      }
      const waiting: Waiting = { touches, attempt, background: call.background }
      this.#waiting.add(waiting)
      this.#touched.set(touches, (this.#touched.get(touches) ?? 0) + 1)
      // Its caller has been answered already.
      call.onAbandon(() => this.#leave(waiting))
      this.#tryLater()
    })
  }

  #tryLater(): void {
    this.#timer ??= setTimeout(this.#proceed, retryDelay())
    // Holds the process while someone awaits one of these calls.
    if (this.#isAwaited()) this.#timer.ref()
    else this.#timer.unref()
  }

  #isAwaited(): boolean {
    for (const { background } of this.#waiting) if (!background) return true
    return false
  }

  readonly #proceed = (): void => {
    this.#timer = undefined
    const end = performance.now() + TURN
    for (const waiting of this.#waiting) {
      if (performance.now() > end || !waiting.attempt()) {
        this.#tryLater()
        return
      }
      this.#leave(waiting)
    }
  }

  #leave(waiting: Waiting): void {
    if (!this.#waiting.delete(waiting)) return
    const others = (this.#touched.get(waiting.touches) ?? 1) - 1
    if (others === 0) this.#touched.delete(waiting.touches)
    else this.#touched.set(waiting.touches, others)
    if (this.#waiting.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #isTouched(key: Touches): boolean {
    return this.#touched.has(key) || this.#touched.has(EVERYTHING)
  }
}

const retryDelay = (): number => RETRY_MIN + Math.random() * RETRY_SPREAD
