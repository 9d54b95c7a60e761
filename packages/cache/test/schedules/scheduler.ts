import { randomFrom } from '../../../core/test/support/random.mjs'

interface Timer {
  readonly at: number
  readonly run: () => void
}

/**
 * Decides by a seed what goes on next. Clock and timers are its own: nothing takes real time, and the
 * same seed gives the same run.
 */
export class Scheduler {
  /** A whole number from 0 to below a bound. */
  readonly pick: (bound: number) => number
  readonly #steps: (() => void)[] = []
  #timers: Timer[] = []
  #time = 1_000_000

  constructor(seed: number) {
    this.pick = randomFrom(seed)
  }

  /** Whether something happens in one of so many cases. */
  in(cases: number): boolean {
    return this.pick(cases) === 0
  }

  /** Resolves when the seed says so. */
  pause(): Promise<void> {
    return new Promise(resolve => this.#steps.push(resolve))
  }

  /** Lets one thing that waits go on, or time pass. @returns false where nothing waits. */
  advance(): boolean {
    if (this.in(8)) this.#time += this.pick(60)
    const steps = this.#steps.length
    if (steps === 0 && this.#timers.length === 0) return false
    if (steps > 0 && (this.#timers.length === 0 || !this.in(8))) {
      const [step] = this.#steps.splice(this.pick(steps), 1)
      step?.()
    } else this.#fire()
    return true
  }

  /** Everything the cache asks for the time goes here, until the function returned is called. */
  install(): () => void {
    const { setTimeout, clearTimeout, setImmediate } = globalThis
    const dateNow = Date.now
    // Over the method of its prototype. Not a spy: these take as long as the rest of a run.
    performance.now = () => this.#time
    Date.now = () => this.#time
    const set = (run: () => void, ms: number): object => {
      const timer = { at: this.#time + ms, run, unref: () => timer, ref: () => timer }
      this.#timers.push(timer)
      return timer
    }
    Object.assign(globalThis, {
      setTimeout: set,
      setImmediate: (run: () => void) => this.#steps.push(run),
      clearTimeout: (timer: unknown) => {
        const index = this.#timers.indexOf(timer as Timer)
        if (index >= 0) this.#timers.splice(index, 1)
      },
    })
    return () => {
      Object.assign(globalThis, { setTimeout, clearTimeout, setImmediate })
      Date.now = dateNow
      Reflect.deleteProperty(performance, 'now')
    }
  }

  #fire(): void {
    let next = 0
    this.#timers.forEach((timer, i) => {
      if (timer.at < (this.#timers[next] as Timer).at) next = i
    })
    const [timer] = this.#timers.splice(next, 1)
    if (timer === undefined) return
    this.#time = Math.max(this.#time, timer.at)
    timer.run()
  }
}
