import type { Cache } from '@l2/cache'
import { type Border, closestCities } from './cities.js'

const countries = ['BE', 'CH', 'DE', 'FR', 'NL']

/** Each pair of countries once: what both processes ask for. */
export const pairs = countries.flatMap((a, i) => countries.slice(i + 1).map(b => [a, b] as const))

export const keyOf = (a: string, b: string) => `closest:${a}:${b}`

/** What one process saw while it asked for every pair. */
export interface Round {
  answers: Border[]
  /** The keys whose query ran. */
  computed: string[]
  l1Hits: number
  l2Hits: number
  misses: number
  ms: number
}

/** Asks `cache` for the closest cities of every pair, one after the other. */
export async function askAll(cache: Cache): Promise<Round> {
  const answers: Border[] = []
  const computed: string[] = []
  const before = cache.stats()
  const start = performance.now()

  for (const [a, b] of pairs) {
    const compute = () => {
      computed.push(keyOf(a, b))
      return closestCities(a, b)
    }
    const tags = [`country:${a}`, `country:${b}`]
    answers.push(await cache.getOrSet(keyOf(a, b), compute, { tags }))
  }

  const ms = performance.now() - start
  const after = cache.stats()
  return {
    answers,
    computed,
    l1Hits: after.l1Hits - before.l1Hits,
    l2Hits: after.l2Hits - before.l2Hits,
    misses: after.misses - before.misses,
    ms,
  }
}
