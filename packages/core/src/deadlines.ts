/** One that waits: an entry of the list in {@link Deadlines}. */
export interface Deadline {
  readonly end: number
  readonly passed: () => void
  before: Deadline | undefined
  after: Deadline | undefined
}

/**
 * The deadlines of many calls that all have the same time. They come in the order in which they were
 * set: one timer, for the first, is enough for any number. A timer for each call cost more than a call
 * that shares its round trip (measured).
 */
export class Deadlines {
  readonly #timeout: number
  readonly #holds: boolean
  #first: Deadline | undefined
  #last: Deadline | undefined
  #timer: NodeJS.Timeout | undefined

  /**
   * @param timeout ms from {@link set} on, 2^31 - 1 at most; 0 = never.
   * @param holds whether the process does not end while a deadline is set. Default `false`.
   */
  constructor(timeout: number, holds = false) {
    this.#timeout = timeout
    this.#holds = holds
  }

  /**
   * @param passed is called once, unless {@link clear} comes first.
   * @param time the present, in ms of `performance.now()`.
   */
  set(passed: () => void, time?: number): Deadline | undefined {
    if (this.#timeout === 0) return undefined
    const end = (time ?? performance.now()) + this.#timeout
    const deadline: Deadline = { end, passed, before: this.#last, after: undefined }
    if (this.#last === undefined) this.#first = deadline
    else this.#last.after = deadline
    this.#last = deadline
    if (this.#timer === undefined) this.#wait(this.#timeout)
    else if (this.#holds && deadline.before === undefined) this.#timer.ref()
    return deadline
  }

  /** Takes off one that is set. */
  clear(deadline: Deadline): void {
    if (deadline.before === undefined) this.#first = deadline.after
    else deadline.before.after = deadline.after
    if (deadline.after === undefined) this.#last = deadline.before
    else deadline.after.before = deadline.before
    // One that has grown old would keep all that came after it until the next full garbage collection.
    deadline.before = undefined
    deadline.after = undefined
    if (this.#holds && this.#first === undefined) this.#timer?.unref()
  }

  #wait(ms: number): void {
    // Left alone when nothing waits any more: the next call soon needs it again.
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#look, ms)
    if (!this.#holds) this.#timer.unref()
  }

  readonly #look = (): void => {
    this.#timer = undefined
    const time = performance.now()
    // A timer may come a fraction of a ms early.
    for (let first = this.#first; first !== undefined; first = this.#first) {
      if (first.end > time + 1) {
        this.#wait(Math.ceil(first.end - time))
        return
      }
      this.clear(first)
      first.passed()
    }
  }
}
