import { Redis } from 'ioredis'
import { prefixOf, redisUrl, usedMemory } from '../harness/redis.js'
import { type Place, type Subject, TTL } from '../harness/subject.js'
import { asText } from '../harness/text.js'

/** The limit: a command for each call, values in JSON, as most programs do it by hand. */
export function open(place: Place): Subject {
  const redis = new Redis(redisUrl())
  const prefix = prefixOf(place)
  const set = (key: string, value: unknown) =>
    redis.set(prefix + key, JSON.stringify(value), 'PX', TTL)
  return {
    toValue: asText,
    async get(key) {
      const text = await redis.get(prefix + key)
      return text === null ? null : JSON.parse(text)
    },
    set,
    // It keeps none.
    setTagged: set,
    delete: key => redis.unlink(prefix + key),
    usedBytes: usedMemory,
    close: () => redis.quit(),
  }
}

/** Bytes instead of JSON. */
export const openBytes = (place: Place): Subject => overBytes(place, false)

/** With ioredis's own way to have calls share a round trip. */
export const openPipelining = (place: Place): Subject => overBytes(place, true)

function overBytes(place: Place, enableAutoPipelining: boolean): Subject {
  const redis = new Redis(redisUrl(), { enableAutoPipelining })
  const prefix = prefixOf(place)
  const set = (key: string, value: unknown) =>
    redis.set(prefix + key, value as Buffer<ArrayBuffer>, 'PX', TTL)
  return {
    toValue: value => Buffer.from(value),
    get: key => redis.getBuffer(prefix + key),
    set,
    setTagged: set,
    delete: key => redis.unlink(prefix + key),
    usedBytes: usedMemory,
    close: () => redis.quit(),
  }
}
