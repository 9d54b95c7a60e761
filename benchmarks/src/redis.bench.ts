import { Redis } from 'ioredis'
import { benchmark } from './harness/benchmark.js'
import { versionOf } from './harness/page.js'
import { redisUrl, redisVersion } from './harness/redis.js'
import type { Row } from './harness/subject.js'

const redis = new Redis(redisUrl())
const server = await redisVersion(redis)
redis.disconnect()

const page = {
  name: 'redis',
  title: 'Redis',
  intro: `Values of 1 KiB on one Redis of the same machine, which all share, each over one connection. The limit is
ioredis by hand, a command for each call and values in JSON; it keeps no tags, and stores an entry
with tags by the same \`SET\`. The control is the same again.`,
  versions: { ioredis: versionOf('ioredis'), Redis: server },
}

const rows: Row[] = [
  { id: 'raw', title: 'ioredis', file: 'raw-redis' },
  { id: 'control', title: 'ioredis (control)', file: 'raw-redis' },
  { id: 'bytes', title: 'ioredis, bytes', file: 'raw-redis', open: 'openBytes', note: 'no tags' },
  {
    id: 'pipelining',
    title: 'ioredis, bytes, autopipelining',
    file: 'raw-redis',
    open: 'openPipelining',
    note: 'no tags',
  },
  { id: 'l2', title: '@l2/redis', file: 'l2-redis' },
  {
    id: 'keyv',
    title: '@keyv/redis',
    file: 'keyv-redis',
    peer: ['@keyv/redis', 'keyv'],
    note: 'through keyv; no tags; text in JSON',
  },
  {
    id: 'cacheable',
    title: 'cacheable, tags on',
    file: 'cacheable-redis',
    peer: ['cacheable', '@keyv/redis'],
    note: 'Redis as its only layer; text in JSON',
  },
  {
    id: 'bento',
    title: 'BentoCache, redis',
    file: 'bentocache-redis',
    peer: ['bentocache', 'ioredis'],
    note: 'no L1; text in JSON; ioredis 5, as it asks for',
  },
  {
    id: 'unstorage',
    title: 'unstorage, redis',
    file: 'unstorage-redis',
    peer: ['unstorage', 'ioredis'],
    note: 'no tags; text in JSON; ioredis 5, as it asks for',
  },
]

await benchmark(rows, page)
