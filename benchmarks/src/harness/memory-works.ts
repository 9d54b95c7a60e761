import { mustHit, mustMiss, mustNotMake } from './answers.js'
import type { CacheSubject } from './cache-subject.js'
import {
  BATCH,
  batch,
  fill,
  type Item,
  itemsOf,
  type OpenOne,
  onEntries,
  roomFor,
} from './cache-works.js'
import { cycle, Keys } from './keys.js'
import { madeUp } from './made-up.js'
import type { Work } from './work.js'

/** What is measured of caches in memory, by the names that `--only` knows. */
export const MEMORY_WORKS = {
  get: 'get, hit',
  set: 'set of a key that is there',
  hit: 'getOrSet, hit',
  'hit-tagged': 'getOrSet of an entry with 3 tags, hit',
  miss: 'getOrSet, miss, one entry leaving for another',
  invalidate: 'deleteByTag of 10 000 entries with 3 tags, and two reads of each',
} as const

/**
 * The works that these caches can do, each in a cache of its own.
 *
 * @param hasTags whether they have tags.
 * @param count of entries.
 */
export function memoryWorks(open: OpenOne, hasTags: boolean, count: number): Record<string, Work> {
  const items = (): Item[] => itemsOf('plain', count)
  const works = {
    get: onEntries(open, roomFor(count), items, (cache, next) =>
      batch(cache, () => cache.get(next().key), mustHit),
    ),
    set: onEntries(open, roomFor(count), items, (cache, next) =>
      batch(cache, () => {
        const { key, value } = next()
        return cache.set(key, value)
      }),
    ),
    hit: onEntries(open, roomFor(count), items, (cache, next) =>
      batch(cache, () => cache.getOrSet(next().key, mustNotMake), mustHit),
    ),
    miss: missing(open, count),
  }
  if (!hasTags) return works
  return {
    ...works,
    'hit-tagged': onEntries(open, roomFor(count, true), items, (cache, next) => {
      const call = (): unknown => {
        const { key, tags } = next()
        return cache.getOrSetTagged?.(key, mustNotMake, tags)
      }
      return batch(cache, call, mustHit)
    }),
    invalidate: invalidating(open, count),
  }
}

/** Each key comes round again when three times as many others as there is room for have been there. */
function missing(open: OpenOne, count: number): Work {
  let run: (() => unknown) | undefined
  return {
    calls: BATCH,
    async prepare() {
      if (run !== undefined) return
      const cache = await open({ maxEntries: count, tags: false })
      const next = cycle(new Keys('new', count * 4).all)
      const value = madeUp(0)
      let made = 0
      let called = 0
      const make = (): object => {
        made++
        return value
      }
      const mustBeMade = (got: unknown): void => {
        mustHit(got)
        if (made < ++called) throw new Error('a getOrSet that was to miss did not')
      }
      run = batch(cache, () => cache.getOrSet(next(), make), mustBeMade)
    },
    step: () => run?.(),
  }
}

/** Groups of entries with a tag in common, one of which goes with each call. */
const GROUPS = 6

function invalidating(open: OpenOne, count: number): Work {
  const groups: Item[][] = Array.from({ length: GROUPS }, (_, group) =>
    itemsOf(`bulk${group}`, count).map(({ key, value, tags }) => ({
      key,
      value,
      tags: [`group:${group}`, ...tags.slice(1)],
    })),
  )
  const gone = new Set(groups)
  let left: Item[][] = []
  let cache: CacheSubject | undefined
  return {
    spare: GROUPS / 3,
    async prepare() {
      cache ??= await open(roomFor(count * GROUPS, true))
      for (const group of gone) await fill(cache, group, true)
      gone.clear()
      left = [...groups]
    },
    step() {
      const group = left.pop()
      if (group === undefined || cache === undefined) return undefined
      gone.add(group)
      const [tag = ''] = group[0]?.tags ?? []
      return cache.isSync ? invalidateBare(cache, tag, group) : invalidate(cache, tag, group)
    },
  }
}

function invalidateBare(cache: CacheSubject, tag: string, group: readonly Item[]): true {
  cache.deleteByTag?.(tag)
  for (let round = 0; round < 2; round++) for (const { key } of group) mustMiss(cache.get(key))
  return true
}

async function invalidate(cache: CacheSubject, tag: string, group: readonly Item[]): Promise<true> {
  await cache.deleteByTag?.(tag)
  for (let round = 0; round < 2; round++)
    for (const { key } of group) mustMiss(await cache.get(key))
  return true
}
