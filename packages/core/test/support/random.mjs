// @ts-check
import { randomInt } from 'node:crypto'

/** A seed that a failed test prints; `L2_SEED` replays it. */
export const newSeed = () => Number(process.env['L2_SEED'] ?? randomInt(2 ** 31))

/**
 * Whole numbers from 0 to below a bound, the same for the same seed (mulberry32, public domain).
 *
 * @param {number} seed
 * @returns {(bound: number) => number}
 */
export function randomFrom(seed) {
  let state = seed
  return bound => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound)
  }
}
