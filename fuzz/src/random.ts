/** Whole numbers from 0 to below a bound. */
export type Random = (bound: number) => number

/** The same numbers for the same seed (mulberry32, public domain). */
export function randomFrom(seed: number): Random {
  let state = seed
  return bound => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound)
  }
}

/** A seed of its own for each combination of numbers. */
export function derivedSeed(seed: number, ...numbers: readonly number[]): number {
  let mixed = seed | 0
  for (const number of numbers) {
    mixed = Math.imul(mixed ^ (mixed >>> 16) ^ (number + 0x9e3779b9), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  }
  return mixed ^ (mixed >>> 16)
}

export function oneOf<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)] as T
}

export function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const copy = [...list]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = random(i + 1)
    ;[copy[i], copy[j]] = [copy[j] as T, copy[i] as T]
  }
  return copy
}
