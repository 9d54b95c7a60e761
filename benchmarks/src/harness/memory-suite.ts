import type { CacheSubject, OpenCache } from './cache-subject.js'
import type { Room } from './cache-works.js'
import { heap, heapPerEntry } from './heap.js'
import { MEMORY_WORKS, memoryWorks } from './memory-works.js'
import { onceEach } from './once-each.js'
import type { Suite } from './suite.js'
import { verifyCache, verifyTags } from './verify-cache.js'

/** Caches in the memory of their process. */
export const memorySuite: Suite<OpenCache> = {
  name: 'memory',
  works: MEMORY_WORKS,
  concurrency: '1',
  ms: '100',
  renewal: 3,
  extra: heap,
  async open(make, place, count) {
    const open = async (room: Room): Promise<CacheSubject> => make({ ...place, ...room })
    const { setTagged } = await open({ maxEntries: 1, tags: true })
    const worksFor = (entries: number) => memoryWorks(open, setTagged !== undefined, entries)
    return {
      works: worksFor(count),
      async verify() {
        await verifyCache(await open({ maxEntries: 100, tags: false }))
        await verifyTags(await open({ maxEntries: 100, tags: true }))
        await onceEach(worksFor(20))
      },
      figures: { heap: place => heapPerEntry(make, place) },
    }
  },
}
