import { expect, test } from 'vitest'
import type { CacheSubject } from '../benchmarks/src/harness/cache-subject.js'
import type { Subject } from '../benchmarks/src/harness/subject.js'
import { verify } from '../benchmarks/src/harness/verify.js'
import { verifyCache, verifyShared, verifyTags } from '../benchmarks/src/harness/verify-cache.js'
import { ratios } from '../benchmarks/src/ratios.js'
import { open } from '../benchmarks/src/subjects/raw-memory.js'

/** A cache without a fault. */
function honest(): Required<Omit<Subject, 'toValue' | 'usedBytes'>> {
  const entries = new Map<string, { value: unknown; tags: string[] }>()
  const setTagged = async (key: string, value: unknown, tags: string[]) =>
    entries.set(key, { value, tags })
  return {
    get: async key => entries.get(key)?.value,
    set: (key, value) => setTagged(key, value, []),
    setTagged,
    delete: async key => entries.delete(key),
    async deleteByTag(tag) {
      for (const [key, { tags }] of entries) if (tags.includes(tag)) entries.delete(key)
    },
    close: async () => {},
  }
}

const nothing = async (): Promise<void> => {}
const liars: Record<string, Partial<Subject>> = {
  'a get that answers anything': { get: async () => new Uint8Array(1_024) },
  'a get that misses': { get: nothing },
  'a set that does nothing': { set: nothing },
  'a set with tags that does nothing': { setTagged: nothing },
  'a delete that does nothing': { delete: nothing },
  'a deleteByTag that does nothing': { deleteByTag: nothing },
}

test('benchmarks accept a subject that answers rightly', async () => {
  await expect(verify(honest())).resolves.toBeUndefined()
})

test.each(Object.entries(liars))('benchmarks refuse %s', async (_, lie) => {
  await expect(verify({ ...honest(), ...lie })).rejects.toThrow()
})

/** All that a cache that makes values is asked. */
async function verifyAll(lie: Partial<CacheSubject>): Promise<void> {
  const place = { folder: '', maxEntries: 100 }
  const cache = await open({ ...place, tags: false })
  await verifyCache({ ...cache, ...lie })
  await verifyTags({ ...(await open({ ...place, tags: true })), ...lie })
  await verifyShared({ ...cache, ...lie }, { ...cache, ...lie })
}

const lyingCaches: Record<string, Partial<CacheSubject>> = {
  'a getOrSet that always makes the value': { getOrSet: (key, make) => make(key) },
  'a getOrSet that makes no value': { getOrSet: nothing },
  'a getOrSet with tags that always makes the value': { getOrSetTagged: (key, make) => make(key) },
  'a get that misses': { get: nothing },
  'a set that does nothing': { set: nothing },
  'a set with tags that does nothing': { setTagged: nothing },
  'a delete that does nothing': { delete: nothing },
  'a deleteByTag that does nothing': { deleteByTag: nothing },
}

test('benchmarks accept a cache that answers rightly', async () => {
  await expect(verifyAll({})).resolves.toBeUndefined()
})

test.each(Object.entries(lyingCaches))('benchmarks refuse %s', async (_, lie) => {
  await expect(verifyAll(lie)).rejects.toThrow()
})

test('a ratio is the median over the rounds, not the ratio of medians', () => {
  const own = [1, 20, 300, 4_000, 50_000]
  const limit = [1, 10, 100, 1_000, 10_000]
  expect(ratios(own, limit)).toEqual({ lower: 2, median: 3, upper: 4 })
})
