import { createCache } from 'async-cache-dedupe'

const TTL = 3_600

/** It takes factories and tags beforehand, not with each call. */
export function open({ maxEntries, tags: invalidation }) {
  let make
  let tags
  const cache = createCache({
    ttl: TTL,
    storage: { type: 'memory', options: { size: maxEntries, invalidation } },
  })
  const references = invalidation ? () => tags : undefined
  cache.define('value', { references }, key => make(key))
  const set = (key, value, tags) => cache.set('value', `value~${key}`, value, TTL, tags)
  const subject = {
    get: key => cache.get('value', `value~${key}`),
    set: (key, value) => set(key, value),
    getOrSet(key, factory) {
      make = factory
      return cache.value(key)
    },
    delete: key => cache.clear('value', key),
  }
  if (!invalidation) return subject
  return {
    ...subject,
    setTagged: set,
    getOrSetTagged(key, factory, given) {
      make = factory
      tags = given
      return cache.value(key)
    },
    deleteByTag: tag => cache.invalidateAll([tag]),
  }
}
