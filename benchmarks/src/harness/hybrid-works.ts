import { mustHit, mustNotMake } from './answers.js'
import type { CacheSubject, Make } from './cache-subject.js'
import { batch, itemsOf, type OpenOne, onEntries, roomFor } from './cache-works.js'
import { eachOf } from './keys.js'
import { madeUp } from './made-up.js'
import type { Work } from './work.js'

/** What is measured of caches in front of a server, by the names that `--only` knows. */
export const HYBRID_WORKS = {
  'l2-hit': 'getOrSet, in L2 but not in L1',
  'l1-hit': 'getOrSet, in L1',
  miss: 'getOrSet, in neither',
  set: 'set of a key that is there, in both',
} as const

/** Each in a cache of its own. @param count of entries. */
export function hybridWorks(open: OpenOne, count: number): Record<string, Work> {
  return {
    'l2-hit': onEntries(
      open,
      { maxEntries: 1, tags: false },
      () => itemsOf('in-l2', count),
      (cache, next) => async () => mustHit(await cache.getOrSet(next().key, mustNotMake)),
      1,
    ),
    'l1-hit': onEntries(
      open,
      roomFor(count),
      () => itemsOf('in-l1', count),
      (cache, next) => batch(cache, () => cache.getOrSet(next().key, mustNotMake), mustHit),
    ),
    miss: missing(open, count),
    set: onEntries(
      open,
      roomFor(count),
      () => itemsOf('set', count),
      (cache, next) => async () => {
        const { key, value } = next()
        await cache.set(key, value)
      },
      1,
    ),
  }
}

/** By all works of this process, which share their server's keys. */
let asked = 0

/** Keys that nobody has stored. What they store is removed before the next slice. */
function missing(open: OpenOne, count: number): Work {
  const value = madeUp(0)
  const made = new Set<string>()
  const make: Make = key => {
    made.add(key)
    return value
  }
  let cache: CacheSubject | undefined
  return {
    async prepare() {
      cache ??= await open(roomFor(count))
      await eachOf(made, async key => cache?.delete(key))
      made.clear()
    },
    async step() {
      const key = `new:${process.pid}:${asked++}`
      mustHit(await cache?.getOrSet(key, make))
      if (!made.has(key)) throw new Error('a getOrSet of an absent key did not make its value')
    },
  }
}
