import { redisDriver } from 'bentocache/drivers/redis'
import { Redis } from 'ioredis'
import { prefixOf, redisUrl, usedMemory } from '../dist/harness/redis.js'
import { subjectOver } from './bentocache.mjs'

export function open(place) {
  const connection = new Redis(redisUrl())
  const driver = redisDriver({ connection })
  return { ...subjectOver(driver, prefixOf(place)), usedBytes: usedMemory }
}
