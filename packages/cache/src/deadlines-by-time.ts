import { Deadlines } from '@l2/core'

/** Times remembered at most. A program has few; one that computes them may have any number. */
const MOST_TIMES = 100

/** Deadlines of different times, one list for each. */
export class DeadlinesByTime {
  #lists = new Map<number, Deadlines>()

  /** @param timeout ms, over 0. To be kept by who sets a deadline: the next may be another one. */
  of(timeout: number): Deadlines {
    const known = this.#lists.get(timeout)
    if (known !== undefined) return known
    const list = new Deadlines(timeout, true)
    if (this.#lists.size >= MOST_TIMES) this.#lists = new Map()
    this.#lists.set(timeout, list)
    return list
  }
}
