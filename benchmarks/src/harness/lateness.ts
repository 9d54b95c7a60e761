/** How late a timer was, in ms. */
export interface Late {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** The interval that is asked for, in ms: the shortest that Node.js has. */
const INTERVAL = 1

/**
 * A timer of 1 ms beside other work in the same process: how late it is, is how long the event loop
 * did not turn.
 */
export class Lateness {
  readonly #samples: number[] = []
  #timer: NodeJS.Timeout
  #due = 0

  constructor() {
    this.#timer = this.#next()
  }

  /** Ends it. What is due and has not come yet counts with what it is late by now. */
  stop(): Late {
    clearTimeout(this.#timer)
    this.#samples.push(this.#late())
    const sorted = this.#samples.toSorted((a, b) => a - b)
    const at = (part: number): number => sorted[Math.ceil(sorted.length * part) - 1] ?? 0
    return { p50: at(0.5), p99: at(0.99), max: at(1) }
  }

  #late(): number {
    return Math.max(0, performance.now() - this.#due)
  }

  #next(): NodeJS.Timeout {
    this.#due = performance.now() + INTERVAL
    return setTimeout(() => {
      this.#samples.push(this.#late())
      this.#timer = this.#next()
    }, INTERVAL)
  }
}
