import { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import type { CachePlace, CacheSubject } from '../harness/cache-subject.js'
import { InFlight } from '../harness/in-flight.js'
import { prefixOf, redisUrl } from '../harness/redis.js'
import { TTL } from '../harness/subject.js'

/** The limit: lru-cache in front of ioredis, a command for each call, as most programs do it by hand. */
export function open(place: CachePlace): CacheSubject {
  const lru = new LRUCache<string, object>({ max: place.maxEntries })
  const redis = new Redis(redisUrl())
  const prefix = prefixOf(place)
  const inFlight = new InFlight<object>()
  const read = async (key: string): Promise<object | undefined> => {
    const found = lru.get(key)
    if (found !== undefined) return found
    const text = await redis.get(prefix + key)
    if (text === null) return undefined
    const value: object = JSON.parse(text)
    lru.set(key, value)
    return value
  }
  const set = async (key: string, value: object): Promise<void> => {
    lru.set(key, value)
    await redis.set(prefix + key, JSON.stringify(value), 'PX', TTL)
  }
  return {
    get: read,
    set,
    async getOrSet(key, make) {
      const found = lru.get(key)
      if (found !== undefined) return found
      return inFlight.run(key, async () => {
        const stored = await read(key)
        if (stored !== undefined) return stored
        const value = await make(key)
        await set(key, value)
        return value
      })
    },
    async delete(key) {
      lru.delete(key)
      await redis.unlink(prefix + key)
    },
    close: () => redis.quit(),
  }
}
