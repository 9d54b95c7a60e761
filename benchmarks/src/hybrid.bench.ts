import { Redis } from 'ioredis'
import { benchmark } from './harness/benchmark.js'
import { versionOf } from './harness/page.js'
import { redisUrl, redisVersion } from './harness/redis.js'
import type { Row } from './harness/subject.js'
import { SUITES } from './harness/suites.js'

const redis = new Redis(redisUrl())
const server = await redisVersion(redis)
redis.disconnect()

const page = {
  name: 'hybrid',
  title: 'L1 and Redis',
  intro: `Caches in the memory of their process in front of one Redis of the same machine, which all share:
objects with 1 KiB of text, in JSON. The limit is lru-cache and ioredis by hand, a command for each
call, callers of one key sharing its factory, and no tags; the control is the same again. Where L1 is
to miss, it has room for one entry.`,
  versions: {
    'lru-cache': versionOf('lru-cache'),
    ioredis: versionOf('ioredis'),
    Redis: server,
  },
}

const rows: Row[] = [
  { id: 'raw', title: 'lru-cache and ioredis', file: 'raw-hybrid' },
  { id: 'control', title: 'lru-cache and ioredis (control)', file: 'raw-hybrid' },
  { id: 'l2', title: '@l2/cache and @l2/redis', file: 'l2-cache', open: 'openHybrid' },
  {
    id: 'bento',
    title: 'BentoCache, memory and redis',
    file: 'bentocache-layers',
    peer: ['bentocache', 'ioredis'],
    open: 'openHybrid',
    note: 'ioredis 5, as it asks for; L1 keeps JSON, as it does by default',
  },
  {
    id: 'cacheable',
    title: 'cacheable and @keyv/redis',
    file: 'cacheable-layers',
    peer: ['cacheable', '@keyv/redis'],
    open: 'openHybrid',
    note: 'L1 clones values, as it does by default',
  },
  {
    id: 'cache-manager',
    title: 'cache-manager and @keyv/redis',
    file: 'cache-manager-layers',
    peer: ['cache-manager', 'keyv', '@keyv/redis'],
    open: 'openHybrid',
    note: 'L1 is CacheableMemory, without clones',
  },
]

await benchmark(rows, page, SUITES.hybrid)
