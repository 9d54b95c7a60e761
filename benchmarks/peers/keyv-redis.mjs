import { createKeyv } from '@keyv/redis'
import { prefixOf, redisUrl, usedMemory } from '../dist/harness/redis.js'
import { asText } from '../dist/harness/text.js'

const TTL = 3_600_000

/** Through Keyv, as its users call it. Its values are JSON. */
export function open(place) {
  const keyv = createKeyv(redisUrl(), { namespace: prefixOf(place) })
  return {
    toValue: asText,
    get: key => keyv.get(key),
    set: (key, value) => keyv.set(key, value, TTL),
    delete: key => keyv.delete(key),
    usedBytes: usedMemory,
    close: () => keyv.disconnect(),
  }
}
