import { BentoCache, bentostore } from 'bentocache'
import { asText } from '../dist/harness/text.js'

const TTL = 3_600_000

/** Without an L1: each call reaches the database. Its values are JSON. */
export function subjectOver(driver, prefix) {
  const cache = new BentoCache({
    default: 'l2',
    prefix,
    stores: { l2: bentostore().useL2Layer(driver) },
  })
  return {
    toValue: asText,
    get: key => cache.get({ key }),
    set: (key, value) => cache.set({ key, value, ttl: TTL }),
    setTagged: (key, value, tags) => cache.set({ key, value, ttl: TTL, tags }),
    delete: key => cache.delete({ key }),
    deleteByTag: tag => cache.deleteByTag({ tags: [tag] }),
    close: () => cache.disconnect(),
  }
}
