// Not the global ones, which tests of applications replace by some that stand still.
import { setImmediate, setTimeout } from 'node:timers'
import { type Awaitable, type Call, turnLength } from '@l2/core'
import { isBusy } from './sqlite-errors.js'
import { awaitTurn, BURST, leaveTurn, type TURN } from './sqlite-turn.js'

/** What a write may change: one key, all of them, or nothing that a read would see. */
export type Touches = string | typeof EVERYTHING | typeof NOTHING
export const EVERYTHING = Symbol('everything')
export const NOTHING = Symbol('nothing')

/**
 * A lock is tried again this often, in ms: an attempt costs about 10 µs, and other writers let go
 * of it after a few ms. Apart, so that several who wait don't meet at each attempt.
 */
const RETRY_MIN = 1
const RETRY_SPREAD = 3

/** Once for room in the file, once for room on the disk. */
const RELIEFS = 2

/** Where the writes of a queue take effect. Synchronous. */
export interface Transactions {
  /** Whether reads can do without the queue: it is open. */
  readonly isOpen: boolean
  /** Takes the write lock, or throws what `isBusy` recognises. */
  begin(): void
  commit(): void
  /** Undoes all since `begin`, also where a failure has ended the transaction already. */
  rollback(): void
  /** Finds out what is needed after an error that room in the file can help, or answers false. */
  relieve(error: unknown): boolean
  /**
   * Makes some of the room that {@link relieve} found to be needed, in a transaction of its own.
   *
   * @param isWanted whether the call that needs it still waits.
   * @returns whether there is more to do.
   */
  makeRoom(isWanted: boolean): boolean
}

interface Waiting {
  readonly touches: Touches
  readonly writes: boolean
  readonly background: boolean
  readonly work: () => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  /** In a transaction of its own: one that it shared was undone. */
  alone: boolean
  /** How often something was done about its failure. */
  relieved: number
}

/**
 * Runs the calls of one adapter in the order they were made. A lone write runs at once; those that
 * come along with another share a transaction at the end of the turn of the event loop, and where
 * one of them fails, it is undone and each gets its own. Reads run at once where no waiting write
 * concerns them. Waiting for a lock never blocks the event loop, and no turn takes much longer than
 * {@link TURN}.
 */
export class CallQueue {
  readonly #transactions: Transactions
  // A Set keeps the order, and forgets any of them at once.
  readonly #waiting = new Set<Waiting>()
  /** How many writes that wait touch what. */
  readonly #touched = new Map<Touches, number>()
  #reads = 0
  /** How many of those that wait someone awaits. */
  #awaited = 0
  #next: { ref(): unknown; unref(): unknown } | undefined
  /** Whether a write was made just now: what comes along with it shares a transaction. */
  #isBurst = false

  constructor(transactions: Transactions) {
    this.#transactions = transactions
  }

  /**
   * @param key what it reads.
   * @param work is synchronous. Runs again from its start where it met a lock; never once the call
   * is abandoned.
   */
  read<T>(call: Call, key: Touches, work: () => T): Awaitable<T> {
    if (this.#transactions.isOpen && !this.#isTouched(key) && turnLength() < BURST) {
      try {
        return work()
      } catch (error) {
        if (!isBusy(error)) throw error
      }
    }
    return this.#wait(call, key, false, work)
  }

  /**
   * @param touches what it changes.
   * @param work is synchronous and within a transaction. Runs again from its start where that was
   * undone; never once the call is abandoned.
   */
  write<T>(call: Call, touches: Touches, work: () => T): Awaitable<T> {
    let reliefs = 0
    if (this.#isAlone()) {
      try {
        this.#transactions.begin()
        const result = work()
        this.#transactions.commit()
        return result
      } catch (error) {
        this.#transactions.rollback()
        if (!isBusy(error)) {
          if (!this.#transactions.relieve(error)) throw error
          reliefs = 1
        }
      }
    }
    return this.#wait(call, touches, true, work, reliefs)
  }

  /**
   * Whether a write has nobody to share a transaction with: none waits, and none was made just
   * before it, in the same microtask or the one before. It is done at once then: to wait for the end
   * of the turn would double the time of a lone `set` (measured).
   */
  #isAlone(): boolean {
    if (this.#isBurst || this.#waiting.size > 0 || !this.#transactions.isOpen) return false
    this.#isBurst = true
    queueMicrotask(this.#endBurst)
    return true
  }

  readonly #endBurst = (): void => {
    this.#isBurst = false
  }

  #wait<T>(call: Call, touches: Touches, writes: boolean, work: () => T, relieved = 0): Promise<T> {
    return new Promise<unknown>((resolve, reject) => {
      const { background } = call
      const waiting: Waiting = {
        touches,
        writes,
        background,
        work,
        resolve,
        reject,
        alone: false,
        relieved,
      }
      this.#waiting.add(waiting)
      if (writes) this.#touched.set(touches, (this.#touched.get(touches) ?? 0) + 1)
      else this.#reads++
      if (!background) this.#awaited++
      // Its caller has been answered already.
      call.onAbandon(() => this.#leave(waiting))
      if (this.#next === undefined) this.#nextTurn()
      // Holds the process while someone awaits one of these calls.
      else if (this.#awaited === 1 && !background) this.#next.ref()
    }) as Promise<T>
  }

  #nextTurn(): void {
    this.#schedule(setImmediate(this.#proceed))
  }

  #tryLater(): void {
    this.#schedule(setTimeout(this.#proceed, RETRY_MIN + Math.random() * RETRY_SPREAD))
  }

  #schedule(next: { ref(): unknown; unref(): unknown }): void {
    if (this.#awaited === 0) next.unref()
    this.#next = next
    awaitTurn()
  }

  readonly #proceed = (): void => {
    this.#next = undefined
    const end = performance.now() + leaveTurn()
    while (this.#waiting.size > 0) {
      if (!this.#runSome(end)) {
        this.#tryLater()
        return
      }
      if (performance.now() > end) break
    }
    if (this.#waiting.size > 0) this.#nextTurn()
  }

  /** @returns false where another writer has the lock. */
  #runSome(end: number): boolean {
    const [first] = this.#waiting
    if (this.#touched.size === 0) return this.#runReads(end)
    try {
      if (this.#transactions.makeRoom((first?.relieved ?? 0) > 0)) return true
      this.#transactions.begin()
    } catch (error) {
      this.#runReads(end)
      if (isBusy(error)) return false
      this.#rejectWrites(error)
      return true
    }
    return this.#runTransaction(end)
  }

  #runTransaction(end: number): boolean {
    const batch: Waiting[] = []
    const results: unknown[] = []
    try {
      for (const waiting of this.#waiting) {
        if (batch.length > 0 && (waiting.alone || performance.now() > end)) break
        batch.push(waiting)
        results.push(waiting.work())
        if (waiting.alone) break
      }
      this.#transactions.commit()
    } catch (error) {
      this.#transactions.rollback()
      if (isBusy(error)) return false
      this.#tryAgain(batch, error)
      return true
    }
    for (const [at, waiting] of batch.entries()) {
      this.#leave(waiting)
      waiting.resolve(results[at])
    }
    return true
  }

  /** One of `batch` failed, or all did together. */
  #tryAgain(batch: readonly Waiting[], error: unknown): void {
    const [first] = batch
    if (first === undefined) return
    if (first.relieved < RELIEFS && this.#transactions.relieve(error)) {
      for (const waiting of batch) waiting.relieved++
    } else if (batch.length > 1) {
      // Each is to hear of its own outcome.
      for (const waiting of batch) {
        waiting.alone = true
        waiting.relieved = 0
      }
    } else {
      this.#leave(first)
      first.reject(error)
    }
  }

  /** Runs reads that no earlier write concerns. @returns whether they met no lock. */
  #runReads(end: number): boolean {
    if (this.#reads === 0) return true
    const written = new Set<Touches>()
    for (const waiting of this.#waiting) {
      if (waiting.writes) written.add(waiting.touches)
      else if (!written.has(waiting.touches) && !written.has(EVERYTHING)) {
        try {
          const result = waiting.work()
          this.#leave(waiting)
          waiting.resolve(result)
        } catch (error) {
          if (isBusy(error)) return false
          this.#leave(waiting)
          waiting.reject(error)
        }
        if (performance.now() > end) break
      }
    }
    return true
  }

  /** No transaction can begin: that is the answer to all that need one. */
  #rejectWrites(error: unknown): void {
    for (const waiting of this.#waiting) {
      if (!waiting.writes) continue
      this.#leave(waiting)
      waiting.reject(error)
    }
  }

  #leave(waiting: Waiting): void {
    if (!this.#waiting.delete(waiting)) return
    if (!waiting.background && --this.#awaited === 0) this.#next?.unref()
    if (!waiting.writes) {
      this.#reads--
      return
    }
    const others = (this.#touched.get(waiting.touches) ?? 1) - 1
    if (others === 0) this.#touched.delete(waiting.touches)
    else this.#touched.set(waiting.touches, others)
  }

  #isTouched(key: Touches): boolean {
    return this.#touched.size > 0 && (this.#touched.has(key) || this.#touched.has(EVERYTHING))
  }
}
