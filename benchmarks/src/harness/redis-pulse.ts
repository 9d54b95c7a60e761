// Another client of the server: asks for one small value after the other.
import { Redis } from 'ioredis'
import { pulse } from './pulse.js'
import { redisUrl } from './redis.js'

const redis = new Redis(redisUrl())
await redis.set('l2-bench:pulse', 'value', 'PX', 3_600_000)
await pulse(
  () => redis.get('l2-bench:pulse'),
  () => redis.disconnect(),
)
