import type { CacheSubject, OpenCache } from './cache-subject.js'
import type { Room } from './cache-works.js'
import { commands } from './commands.js'
import { HYBRID_WORKS, hybridWorks } from './hybrid-works.js'
import { onceEach } from './once-each.js'
import type { Suite } from './suite.js'
import { stampede, verifyCache, verifyShared } from './verify-cache.js'

/** Caches in the memory of their process, in front of a server that all share. */
export const hybridSuite: Suite<OpenCache> = {
  name: 'hybrid',
  works: HYBRID_WORKS,
  concurrency: '1,50',
  // A round trip at a time, a cache's code needs a second to be compiled.
  ms: '400',
  extra: commands,
  async open(make, place, count) {
    const open = async (room: Room): Promise<CacheSubject> => make({ ...place, ...room })
    const cache = await open({ maxEntries: 2_000, tags: false })
    return {
      works: hybridWorks(open, count),
      async verify() {
        await verifyCache(cache)
        await verifyShared(cache, await open({ maxEntries: 100, tags: false }))
        await onceEach(hybridWorks(open, 20))
      },
      figures: { stampede: () => stampede(cache, `cold:${process.pid}`, 1_000) },
    }
  },
}
