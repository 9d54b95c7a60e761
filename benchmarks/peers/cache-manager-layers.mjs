import KeyvRedis from '@keyv/redis'
import { createCache } from 'cache-manager'
import { CacheableMemory } from 'cacheable'
import { Keyv } from 'keyv'
import { prefixOf, redisUrl } from '../dist/harness/redis.js'

const TTL = 3_600_000

/** L1 alone. */
export const open = ({ maxEntries }) => subjectOf([memory(maxEntries)])

/** L1 in front of Redis. */
export function openHybrid(place) {
  const redis = new Keyv({ store: new KeyvRedis(redisUrl()), namespace: prefixOf(place) })
  return subjectOf([memory(place.maxEntries), redis])
}

/** Bounded as its README tells, and by reference, as its own unbounded one is. */
function memory(lruSize) {
  const keyv = new Keyv({ store: new CacheableMemory({ lruSize, useClone: false }) })
  keyv.serialize = undefined
  keyv.deserialize = undefined
  return keyv
}

function subjectOf(stores) {
  const cache = createCache({ stores, ttl: TTL })
  return {
    get: key => cache.get(key),
    set: (key, value) => cache.set(key, value),
    getOrSet: (key, make) => cache.wrap(key, () => make(key)),
    delete: key => cache.del(key),
    close: () => cache.disconnect(),
  }
}
