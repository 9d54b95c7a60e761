/** One that waits: an entry of the list in {@link Deadlines}. */
export interface Deadline {
  readonly end: number
  readonly passed: () => void
  before: Deadline | undefined
  after: Deadline | undefined
}

/**
 * The deadlines of one adapter's calls. They come in the order in which they were set, as all are
 * equally far away: one timer, for the first, is enough for any number. A timer for each call cost
 * more than a call that shares its round trip (measured).
 *
 * The timer never holds the process.
 */
export class Deadlines {
  readonly #timeout: number
  #first: Deadline | undefined
  #last: Deadline | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param timeout ms from {@link set} on; 0 = never. */
  constructor(timeout: number) {
    this.#timeout = timeout
  }

  /** @param passed is called once, unless {@link clear} comes first. */
  set(passed: () => void): Deadline | undefined {
    if (this.#timeout === 0) return undefined
    const end = performance.now() + this.#timeout
    const deadline: Deadline = { end, passed, before: this.#last, after: undefined }
    if (this.#last === undefined) this.#first = deadline
    else this.#last.after = deadline
    this.#last = deadline
    if (this.#timer === undefined) this.#wait(this.#timeout)
    return deadline
  }

  /** Takes off one that is set. */
  clear(deadline: Deadline): void {
    if (deadline.before === undefined) this.#first = deadline.after
    else deadline.before.after = deadline.after
    if (deadline.after === undefined) this.#last = deadline.before
    else deadline.after.before = deadline.before
  }

  #wait(ms: number): void {
    // Left alone when nothing waits any more: the next call soon needs it again.
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#look, ms).unref()
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
