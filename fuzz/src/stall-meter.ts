/** Measures how long the event loop of this process was kept from turning. */
export class StallMeter {
  /** The longest time so far by which a timer of 1 ms was late, in ms. */
  longest = 0
  #last = performance.now()
  readonly #timer: NodeJS.Timeout

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.longest = Math.max(this.longest, now - this.#last - 1)
      this.#last = now
    }, 1)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
