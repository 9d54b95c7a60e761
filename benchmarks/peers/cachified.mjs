import { cachified, createCacheEntry, totalTtl } from '@epic-web/cachified'
import { LRUCache } from 'lru-cache'

const TTL = 3_600_000

/** Over lru-cache, as its README sets it up. */
export function open({ maxEntries }) {
  const lru = new LRUCache({ max: maxEntries })
  const cache = {
    get: key => lru.get(key),
    set: (key, entry) =>
      lru.set(key, entry, { ttl: totalTtl(entry.metadata), start: entry.metadata.createdTime }),
    delete: key => lru.delete(key),
  }
  return {
    get: async key => cache.get(key)?.value,
    set: async (key, value) => void cache.set(key, createCacheEntry(value, { ttl: TTL })),
    getOrSet: (key, make) => cachified({ key, cache, ttl: TTL, getFreshValue: () => make(key) }),
    delete: async key => void cache.delete(key),
  }
}
