import { createStorage } from 'unstorage'
import redisDriver from 'unstorage/drivers/redis'
import { prefixOf, redisUrl, usedMemory } from '../dist/harness/redis.js'
import { asText } from '../dist/harness/text.js'

const TTL = 3_600

/** Its values are JSON: bytes it would store in base64. */
export function open(place) {
  const storage = createStorage({
    driver: redisDriver({ url: redisUrl(), base: prefixOf(place), ttl: TTL }),
  })
  return {
    toValue: asText,
    get: key => storage.getItem(key),
    set: (key, value) => storage.setItem(key, value),
    delete: key => storage.removeItem(key),
    usedBytes: usedMemory,
    close: () => storage.dispose(),
  }
}
