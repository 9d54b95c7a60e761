import { RedisAdapter } from '@l2/redis'
import { prefixOf, redisUrl, usedMemory } from '../harness/redis.js'
import { type Place, type Subject, TTL } from '../harness/subject.js'

/** As its README tells to set it up. */
export function open(place: Place): Subject {
  const adapter = new RedisAdapter({ url: redisUrl(), prefix: prefixOf(place) })
  return {
    get: key => adapter.get(key),
    set: (key, value) => adapter.set(key, value as Uint8Array, { ttl: TTL }),
    setTagged: (key, value, tags) => adapter.set(key, value as Uint8Array, { ttl: TTL, tags }),
    delete: key => adapter.delete(key),
    deleteByTag: tag => adapter.deleteByTag(tag),
    usedBytes: usedMemory,
    close: () => adapter.close(),
  }
}
