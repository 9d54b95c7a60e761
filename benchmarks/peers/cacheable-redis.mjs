import KeyvRedis from '@keyv/redis'
import { Cacheable } from 'cacheable'
import { prefixOf, redisUrl, usedMemory } from '../dist/harness/redis.js'
import { asText } from '../dist/harness/text.js'

const TTL = 3_600_000

/** Redis alone, as its first layer: each call reaches it. Its values are JSON. */
export function open(place) {
  const cache = new Cacheable({ primary: new KeyvRedis(redisUrl()), tags: true })
  const prefix = prefixOf(place)
  return {
    toValue: asText,
    get: key => cache.get(prefix + key),
    set: (key, value) => cache.set(prefix + key, value, { ttl: TTL }),
    setTagged: (key, value, tags) => cache.set(prefix + key, value, { ttl: TTL, tags }),
    delete: key => cache.delete(prefix + key),
    deleteByTag: tag => cache.tags.invalidateTag(tag),
    usedBytes: usedMemory,
    close: () => cache.disconnect(),
  }
}
