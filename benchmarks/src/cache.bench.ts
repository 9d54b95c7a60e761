import { benchmark } from './harness/benchmark.js'
import { versionOf } from './harness/page.js'
import type { Row } from './harness/subject.js'
import { SUITES } from './harness/suites.js'

const page = {
  name: 'cache',
  title: 'In memory',
  intro: `Caches in the memory of their process, without anything behind it: objects with 1 KiB of text. The
limit is lru-cache by itself, without promises, expiry or factories, and with an index of tags beside
it where there are tags; the control is the same again. All others are awaited, call by call. A
process of its own for each work and cache, and a new one every third round; 256 calls between two
looks at the clock.`,
  versions: { 'lru-cache': versionOf('lru-cache') },
}

const rows: Row[] = [
  { id: 'raw', title: 'lru-cache', file: 'raw-memory' },
  { id: 'control', title: 'lru-cache (control)', file: 'raw-memory' },
  {
    id: 'by-hand',
    title: 'lru-cache in async functions',
    file: 'raw-memory',
    open: 'openByHand',
    note: 'no expiry, no tags; callers of one key share its factory',
  },
  { id: 'l2', title: '@l2/cache', file: 'l2-cache' },
  {
    id: 'bento',
    title: 'BentoCache, memory',
    file: 'bentocache-layers',
    peer: ['bentocache'],
    note: 'keeps JSON, as it does by default',
  },
  {
    id: 'bento-reference',
    title: 'BentoCache, memory, serialize: false',
    file: 'bentocache-layers',
    peer: ['bentocache'],
    open: 'openByReference',
  },
  {
    id: 'cacheable',
    title: 'cacheable',
    file: 'cacheable-layers',
    peer: ['cacheable'],
    note: 'clones values, as it does by default; its getOrSet gives an entry no tags',
  },
  {
    id: 'cache-manager',
    title: 'cache-manager',
    file: 'cache-manager-layers',
    peer: ['cache-manager', 'keyv'],
    note: 'over CacheableMemory, which bounds it, without clones; no tags',
  },
  {
    id: 'dedupe',
    title: 'async-cache-dedupe',
    file: 'async-cache-dedupe',
    peer: ['async-cache-dedupe'],
    note: 'factories and tags are named beforehand',
  },
  {
    id: 'cachified',
    title: 'cachified + lru-cache',
    file: 'cachified',
    peer: ['@epic-web/cachified', 'lru-cache'],
    note: 'get and set are those of lru-cache; no tags',
  },
]

await benchmark(rows, page, SUITES.memory)
