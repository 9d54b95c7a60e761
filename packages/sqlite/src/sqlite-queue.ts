import { type Awaitable, type Call, turnLength } from '@l2/core'
import { isBusy } from './sqlite-errors.js'
import { BURST, TURN } from './sqlite-turn.js'

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

/** Where the writes of a queue take effect. Synchronous. */
export interface Transactions {
  /** Whether reads can do without the queue: it is open. */
  readonly isOpen: boolean
  /** Takes the write lock, or throws what `isBusy` recognises. */
  begin(): void
  commit(): void
  /** Undoes all since `begin`, also where a failure has ended the transaction already. */
  rollback(): void
  /** Does something about the error that ended the last transaction. */
  relieve(error: unknown): Relief
}

/**
 * Whether the same work may succeed now: never, or it may and there is nothing more to be done, or
 * it may and more can be done where it does not.
 */
export type Relief = 'none' | 'last' | 'some'

interface Waiting {
  readonly touches: Touches
  readonly writes: boolean
  readonly background: boolean
  readonly work: () => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  /** In a transaction of its own: one that it shared was undone. */
  alone: boolean
  relieved: boolean
}

/**
 * Runs the calls of one adapter in the order they were made. The writes of one turn of the event
 * loop share a transaction; where one of them fails, it is undone and each gets its own. Reads run
 * at once where no waiting write concerns them. Waiting for a lock never blocks the event loop, and
 * no turn takes much longer than {@link TURN}.
 */
export class CallQueue {
  readonly #transactions: Transactions
  // A Set keeps the order, and forgets any of them at once.
  readonly #waiting = new Set<Waiting>()
  /** How many writes that wait touch what. */
  readonly #touched = new Map<Touches, number>()
  /** How many of those that wait someone awaits. */
  #awaited = 0
  #next: { ref(): unknown; unref(): unknown } | undefined

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
  write<T>(call: Call, touches: Touches, work: () => T): Promise<T> {
    return this.#wait(call, touches, true, work)
  }

  #wait<T>(call: Call, touches: Touches, writes: boolean, work: () => T): Promise<T> {
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
        relieved: false,
      }
      this.#waiting.add(waiting)
      if (writes) this.#touched.set(touches, (this.#touched.get(touches) ?? 0) + 1)
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
  }

  readonly #proceed = (): void => {
    this.#next = undefined
    const end = performance.now() + TURN
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
    if (this.#touched.size === 0) return this.#runReads(end)
    try {
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
    const relief = this.#transactions.relieve(error)
    const [first] = batch
    if (first === undefined || relief === 'some') return
    if (relief === 'last' && !first.relieved) {
      for (const waiting of batch) waiting.relieved = true
    } else if (batch.length > 1) {
      // Each is to hear of its own outcome.
      for (const waiting of batch) waiting.alone = true
    } else {
      this.#leave(first)
      first.reject(error)
    }
  }

  /** Runs reads that no earlier write concerns. @returns whether they met no lock. */
  #runReads(end: number): boolean {
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
    if (!waiting.writes) return
    const others = (this.#touched.get(waiting.touches) ?? 1) - 1
    if (others === 0) this.#touched.delete(waiting.touches)
    else this.#touched.set(waiting.touches, others)
  }

  #isTouched(key: Touches): boolean {
    return this.#touched.size > 0 && (this.#touched.has(key) || this.#touched.has(EVERYTHING))
  }
}
