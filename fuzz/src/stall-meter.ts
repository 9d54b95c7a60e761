import { readFileSync } from 'node:fs'
import { MS } from './clock.js'

/** Times by which a timer of 1 ms was late, at most, in ms. */
export interface Stall {
  readonly longest: number
  /** Without the time for which the machine had no processor for the event loop. */
  readonly own: number
}

/** Measures how long the event loop of this process was kept from turning. */
export class StallMeter {
  #longest = 0
  #own = 0
  #last = performance.now()
  #waited = waitedForProcessor()
  readonly #timer: NodeJS.Timeout

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now()
      const waited = waitedForProcessor()
      const stall = now - this.#last - 1
      this.#longest = Math.max(this.#longest, stall)
      this.#own = Math.max(this.#own, stall - (waited - this.#waited))
      this.#last = now
      this.#waited = waited
    }, 1)
  }

  stop(): Stall {
    clearInterval(this.#timer)
    return { longest: this.#longest, own: this.#own }
  }
}

/**
 * How long the main thread was ready to run and did not, in ms, where the system tells: the second
 * number of /proc/self/schedstat (Linux kernel documentation, "Scheduler Statistics").
 */
function waitedForProcessor(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'latin1').split(' ')[1]) / MS
  } catch {
    return 0
  }
}
