import { bytesPerEntry } from './entry-size.js'
import { sizes } from './sizes.js'
import type { Open } from './subject.js'
import type { Suite } from './suite.js'
import { verify } from './verify.js'
import { WORKS, worksOf } from './works.js'

/** Caches over a store of their own, and adapters: each call reaches the store. */
export const storeSuite: Suite<Open> = {
  name: 'store',
  works: WORKS,
  concurrency: '1,50,500',
  ms: '100',
  extra: { name: 'sizes', tell: sizes },
  async open(make, place, count) {
    const subject = await make(place)
    return {
      works: worksOf(subject, count),
      verify: () => verify(subject),
      figures: {
        rss: () => process.memoryUsage.rss(),
        bytesPerEntry: async place => bytesPerEntry(await make(place), place, count),
      },
    }
  },
}
