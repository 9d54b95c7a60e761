import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisDriver } from 'bentocache/drivers/redis'
import { Redis } from 'ioredis'
import { prefixOf, redisUrl } from '../dist/harness/redis.js'

const TTL = 3_600_000

/** L1 alone, as it is by default: it keeps JSON. */
export const open = ({ maxEntries }) =>
  subjectOf(bentostore().useL1Layer(memoryDriver({ maxItems: maxEntries })))

/** L1 alone, values by reference. */
export const openByReference = ({ maxEntries }) =>
  subjectOf(bentostore().useL1Layer(memoryDriver({ maxItems: maxEntries, serialize: false })))

/** L1 in front of Redis. */
export function openHybrid(place) {
  const connection = new Redis(redisUrl())
  const store = bentostore()
    .useL1Layer(memoryDriver({ maxItems: place.maxEntries }))
    .useL2Layer(redisDriver({ connection }))
  return subjectOf(store, prefixOf(place))
}

function subjectOf(store, prefix) {
  const cache = new BentoCache({ default: 'cache', prefix, ttl: TTL, stores: { cache: store } })
  return {
    get: key => cache.get({ key }),
    set: (key, value) => cache.set({ key, value }),
    getOrSet: (key, make) => cache.getOrSet({ key, factory: () => make(key) }),
    setTagged: (key, value, tags) => cache.set({ key, value, tags }),
    getOrSetTagged: (key, make, tags) => cache.getOrSet({ key, factory: () => make(key), tags }),
    deleteByTag: tag => cache.deleteByTag({ tags: [tag] }),
    delete: key => cache.delete({ key }),
    close: () => cache.disconnect(),
  }
}
