import { LRUCache } from 'lru-cache'
import type { CachePlace, CacheSubject } from '../harness/cache-subject.js'
import { InFlight } from '../harness/in-flight.js'

/** The limit: lru-cache itself, without promises; with tags, an index of them beside it. */
export const open = ({ maxEntries, tags }: CachePlace): CacheSubject =>
  tags ? indexed(maxEntries) : bare(maxEntries)

function bare(max: number): CacheSubject {
  const lru = new LRUCache<string, object>({ max })
  return {
    isSync: true,
    get: key => lru.get(key),
    set: (key, value) => lru.set(key, value),
    getOrSet(key, make) {
      const found = lru.get(key)
      if (found !== undefined) return found
      const value = make(key)
      lru.set(key, value)
      return value
    },
    delete: key => lru.delete(key),
  }
}

interface Entry {
  readonly value: object
  readonly tags: readonly string[]
}

function indexed(max: number): CacheSubject {
  const keysOf = new Map<string, Set<string>>()
  const lru = new LRUCache<string, Entry>({
    max,
    dispose({ tags }, key) {
      for (const tag of tags) {
        const keys = keysOf.get(tag)
        keys?.delete(key)
        if (keys?.size === 0) keysOf.delete(tag)
      }
    },
  })
  const setTagged = (key: string, value: object, tags: readonly string[]): void => {
    lru.set(key, { value, tags })
    for (const tag of tags) {
      const keys = keysOf.get(tag)
      if (keys === undefined) keysOf.set(tag, new Set([key]))
      else keys.add(key)
    }
  }
  const getOrSetTagged: CacheSubject['getOrSetTagged'] = (key, make, tags) => {
    const found = lru.get(key)
    if (found !== undefined) return found.value
    const value = make(key)
    setTagged(key, value, tags)
    return value
  }
  return {
    isSync: true,
    get: key => lru.get(key)?.value,
    set: (key, value) => setTagged(key, value, []),
    getOrSet: (key, make) => getOrSetTagged(key, make, []),
    setTagged,
    getOrSetTagged,
    deleteByTag(tag) {
      const keys = keysOf.get(tag)
      keysOf.delete(tag)
      for (const key of keys ?? []) lru.delete(key)
    },
    delete: key => lru.delete(key),
  }
}

/** The least that promises cost: lru-cache in async functions, callers of one key sharing a flight. */
export function openByHand({ maxEntries }: CachePlace): CacheSubject {
  const lru = new LRUCache<string, object>({ max: maxEntries })
  const inFlight = new InFlight<object>()
  return {
    get: async key => lru.get(key),
    set: async (key, value) => void lru.set(key, value),
    async getOrSet(key, make) {
      const found = lru.get(key)
      if (found !== undefined) return found
      return inFlight.run(key, async () => {
        const value = await make(key)
        lru.set(key, value)
        return value
      })
    },
    delete: async key => void lru.delete(key),
  }
}
