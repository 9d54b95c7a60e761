import { derivedSeed, type Random, randomFrom, shuffled } from './random.js'
import type { Fault } from './subject.js'

/** The longest time between two faults, in ms. */
const LONGEST_QUIET = 60

/**
 * Faults that come one after another. They take turns in an order that differs each time, so that
 * none is much rarer than others; all of it follows from the seed.
 */
export class Lane {
  readonly #seed: number
  readonly #faults: readonly Fault[]
  readonly #order: Random
  #bag: Fault[] = []
  #count = 0

  constructor(seed: number, faults: readonly Fault[]) {
    this.#seed = seed
    this.#faults = faults
    this.#order = randomFrom(seed)
  }

  /** The next fault, its own numbers, and how long to wait before it, in ms. */
  next(): { readonly fault: Fault; readonly random: Random; readonly quiet: number } {
    if (this.#bag.length === 0) this.#bag = shuffled(this.#order, this.#faults)
    const random = randomFrom(derivedSeed(this.#seed, this.#count++))
    return { fault: this.#bag.pop() as Fault, quiet: random(LONGEST_QUIET), random }
  }
}
