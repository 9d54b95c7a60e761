import { Cache } from '@l2/cache'
import { RedisAdapter } from '@l2/redis'
import type { CachePlace, CacheSubject } from '../harness/cache-subject.js'
import { prefixOf, redisUrl } from '../harness/redis.js'
import { TTL } from '../harness/subject.js'

/** L1 alone. */
export const open = ({ maxEntries }: CachePlace): CacheSubject =>
  subjectOf(new Cache({ l1: { maxEntries }, defaults: { ttl: TTL } }))

/** L1 in front of Redis. */
export function openHybrid(place: CachePlace): CacheSubject {
  const { maxEntries } = place
  const l2 = new RedisAdapter({ url: redisUrl(), prefix: prefixOf(place) })
  const cache = new Cache({ l1: { maxEntries }, l2, defaults: { ttl: TTL } })
  const close = async (): Promise<void> => {
    await cache.close()
    await l2.close()
  }
  return { ...subjectOf(cache), close }
}

function subjectOf(cache: Cache): CacheSubject {
  return {
    get: key => cache.get(key),
    set: (key, value) => cache.set(key, value),
    getOrSet: (key, make) => cache.getOrSet(key, () => make(key)),
    setTagged: (key, value, tags) => cache.set(key, value, { tags }),
    getOrSetTagged: (key, make, tags) => cache.getOrSet(key, () => make(key), { tags }),
    deleteByTag: tag => cache.deleteByTag(tag),
    delete: key => cache.delete(key),
    close: () => cache.close(),
  }
}
