import KeyvRedis from '@keyv/redis'
import { Cacheable, createKeyv } from 'cacheable'
import { prefixOf, redisUrl } from '../dist/harness/redis.js'

const TTL = 3_600_000

/** L1 alone, as it is by default: it clones values. */
export function open({ maxEntries, tags }) {
  // It keeps an entry's tags in another entry.
  const primary = createKeyv({ lruSize: tags ? maxEntries * 2 : maxEntries })
  return subjectOf(new Cacheable({ primary, ttl: TTL, tags }), '')
}

/** L1 in front of Redis. */
export function openHybrid(place) {
  const primary = createKeyv({ lruSize: place.maxEntries })
  const secondary = new KeyvRedis(redisUrl())
  return subjectOf(new Cacheable({ primary, secondary, ttl: TTL }), prefixOf(place))
}

function subjectOf(cache, prefix) {
  return {
    get: key => cache.get(prefix + key),
    set: (key, value) => cache.set(prefix + key, value),
    getOrSet: (key, make) => cache.getOrSet(prefix + key, () => make(key)),
    setTagged: (key, value, tags) => cache.set(prefix + key, value, { tags }),
    // It gives an entry its tags by set alone.
    getOrSetTagged: (key, make) => cache.getOrSet(prefix + key, () => make(key)),
    deleteByTag: tag => cache.tags.invalidateTag(tag),
    delete: key => cache.delete(prefix + key),
    close: () => cache.disconnect(),
  }
}
