import { expect, test } from 'vitest'
import type { Subject } from '../benchmarks/src/harness/subject.js'
import { verify } from '../benchmarks/src/harness/verify.js'
import { ratios } from '../benchmarks/src/ratios.js'

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

test('a ratio is the median over the rounds, not the ratio of medians', () => {
  const own = [1, 20, 300, 4_000, 50_000]
  const limit = [1, 10, 100, 1_000, 10_000]
  expect(ratios(own, limit)).toEqual({ lower: 2, median: 3, upper: 4 })
})
