import type { Call } from '@l2/core'

/** Calls that go out in one statement. */
const MOST = 256

/** And bytes, but one call at least: more gains nothing, and Postgres keeps 4 MiB in memory (work_mem). */
const MOST_BYTES = 2 ** 20

/** Calls that a free lane gets before the next one gets any. */
const LEAST = 16

/** A call that waits for a lane. */
export interface Batched {
  readonly call: Call
  /** Which statement it can share, `0` being the first kind. */
  readonly kind: number
  /** About how much is sent for it, and what takes the server as long as so much. */
  readonly bytes: number
}

/**
 * Lanes in which calls go out together, one batch in each at a time: while it is under way, others
 * gather. No timer: a call that finds a lane free goes out at the end of this turn of the event loop.
 */
export class Lanes<T extends Batched> {
  readonly #run: (batch: T[]) => Promise<void>
  readonly #waiting: T[][]
  #free: number
  #isScheduled = false
  #lastKind = 0

  /**
   * @param kinds how many kinds of calls there are.
   * @param run answers all of a batch, which is never empty and of one kind. Never rejects.
   */
  constructor(lanes: number, kinds: number, run: (batch: T[]) => Promise<void>) {
    this.#free = lanes
    this.#waiting = Array.from({ length: kinds }, () => [])
    this.#run = run
  }

  add(item: T): void {
    this.#waiting[item.kind]?.push(item)
    if (this.#isScheduled || this.#free === 0) return
    this.#isScheduled = true
    // After all promises that are resolved by now: those that wait for them go out together.
    queueMicrotask(() => process.nextTick(this.#start))
  }

  readonly #start = (): void => {
    this.#isScheduled = false
    while (this.#free > 0) {
      const batch = this.#nextBatch()
      if (batch.length === 0) return
      this.#free--
      const end = (): void => {
        this.#free++
        this.#start()
      }
      this.#run(batch).then(end, end)
    }
  }

  /** Kinds take turns. */
  #nextBatch(): T[] {
    for (let i = 0; i < this.#waiting.length; i++) {
      this.#lastKind = (this.#lastKind + 1) % this.#waiting.length
      const waiting = this.#waiting[this.#lastKind] ?? []
      if (waiting.length > 0) return waiting.splice(0, this.#sizeOf(waiting))
    }
    return []
  }

  #sizeOf(waiting: readonly T[]): number {
    const share = Math.max(Math.ceil(waiting.length / this.#free), LEAST)
    const most = Math.min(share, MOST, waiting.length)
    let bytes = 0
    for (let i = 0; i < most; i++) {
      bytes += waiting[i]?.bytes ?? 0
      if (bytes > MOST_BYTES) return Math.max(i, 1)
    }
    return most
  }
}
