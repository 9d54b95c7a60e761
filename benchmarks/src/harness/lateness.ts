import { type Percentiles, percentiles } from './percentiles.js'

/** How late a timer was, in ms. */
export type Late = Percentiles

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
    return percentiles(this.#samples)
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
