import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { CacheSubject, OpenCache } from './cache-subject.js'
import { roomFor } from './cache-works.js'
import { tagsOf } from './keys.js'
import { madeUp } from './made-up.js'
import { Remote } from './remote.js'
import type { Place } from './subject.js'
import type { Extra } from './suite.js'
import { ratio, table } from './table.js'

/** Many enough that a cache without entries weighs nothing beside them. */
const ENTRIES = 50_000

/** What an entry takes in memory, in a process where there is nothing else. */
export const heap: Extra = {
  name: 'heap',
  async tell(running, folderOf) {
    const rows: string[][] = []
    let limit: number | undefined
    for (const { row } of running) {
      console.error(`heap of ${row.id} ...`)
      const remote = new Remote()
      try {
        const place = { folder: folderOf(`${row.id}.heap`) }
        const works = await remote.do('open', 'memory', row, place)
        const bytes = await remote.do('figure', 'heap', place)
        limit ??= bytes
        const tags = works.includes('hit-tagged') ? '3' : 'none'
        rows.push([row.title, tags, bytes.toFixed(0), ratio(bytes / limit)])
      } finally {
        await remote.end()
      }
    }
    const head = ['', 'tags', 'bytes per entry', 'ratio']
    return `## Heap of an entry, with its key, its tags and a value of 1 KiB\n\n${table(head, rows)}`
  },
}

/** Bytes of heap, and outside of it, that an entry takes. */
export async function heapPerEntry(open: OpenCache, place: Place): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const before = used(collect)
  const cache = await open({ ...place, ...roomFor(ENTRIES, true) })
  await fill(cache)
  const after = used(collect)
  // Until here it must not be collected.
  if (!(await cache.get(keyOf(0)))) throw new Error('an entry that is there was missed')
  await cache.close?.()
  return (after - before) / ENTRIES
}

async function fill(cache: CacheSubject): Promise<void> {
  for (let i = 0; i < ENTRIES; i++) {
    const key = keyOf(i)
    if (cache.setTagged) await cache.setTagged(key, madeUp(i), tagsOf(key))
    else await cache.set(key, madeUp(i))
  }
}

const keyOf = (i: number): string => `entry:${100_000 + i}`

function used(collect: () => void): number {
  // Twice: the first one only finds what finalizers hold.
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
