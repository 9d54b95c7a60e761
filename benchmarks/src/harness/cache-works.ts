import type { CachePlace, CacheSubject } from './cache-subject.js'
import { atRandom, cycle, eachOf, FOR_TAGS, Keys, tagsOf } from './keys.js'
import { madeUp } from './made-up.js'
import type { Work } from './work.js'

/** Opens a cache. */
export type OpenOne = (room: Room) => Promise<CacheSubject>

/** What a cache is to have room for. */
export type Room = Pick<CachePlace, 'maxEntries' | 'tags'>

/** Room for so many entries, as some caches keep others for tags. */
export const roomFor = (count: number, tags = false): Room => ({
  maxEntries: count + FOR_TAGS,
  tags,
})

/** What is stored. */
export interface Item {
  readonly key: string
  readonly value: object
  readonly tags: string[]
}

/** So many things to store, the keys of which begin alike. */
export const itemsOf = (kind: string, count: number): Item[] =>
  new Keys(kind, count).all.map((key, at) => ({ key, value: madeUp(at), tags: tagsOf(key) }))

/** Stores them, with their tags if the cache was opened for tags. */
export async function fill(
  cache: CacheSubject,
  items: readonly Item[],
  tags: boolean,
): Promise<void> {
  await eachOf(items, async ({ key, value, tags: own }) =>
    tags ? cache.setTagged?.(key, value, own) : cache.set(key, value),
  )
}

/**
 * Calls about entries that are stored, drawn at random, in a cache of their own.
 *
 * @param step makes what does one step; `next` draws.
 */
export function onEntries(
  open: OpenOne,
  room: Room,
  items: () => Item[],
  step: (cache: CacheSubject, next: () => Item) => () => unknown,
  calls: number = BATCH,
): Work {
  let run: (() => unknown) | undefined
  return {
    calls,
    async prepare() {
      if (run !== undefined) return
      const cache = await open(room)
      const stored = items()
      await fill(cache, stored, room.tags)
      run = step(cache, cycle(atRandom(stored)))
    },
    step: () => run?.(),
  }
}

/** Calls between two looks at the clock, which takes as long as a call of the limit. */
export const BATCH = 256

/** Makes a step of many calls, one after the other. */
export function batch(
  { isSync }: CacheSubject,
  call: () => unknown,
  check: (answer: unknown) => void = () => {},
): () => unknown {
  if (isSync)
    return () => {
      for (let i = 0; i < BATCH; i++) check(call())
      return true
    }
  return async () => {
    for (let i = 0; i < BATCH; i++) check(await call())
    return true
  }
}
