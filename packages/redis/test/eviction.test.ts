import { expect, test } from 'vitest'
import { bytes, newPrefix, openAdapter, openClient, readable } from './support/adapters.js'
import { allUnder, bookkeepingUnder } from './support/look-inside.mjs'
import { ownServer } from './support/own-server.js'

const V = new Uint8Array(2_000).fill(7)
const TAGS = 16

/** Much more than fits, under tags that each have some. */
const MANY = Array.from({ length: 8_000 }, (_, i) => `k${i}`)

test.each([
  'allkeys-lru',
  'allkeys-random',
  'allkeys-lfu',
  'volatile-lru',
  'volatile-ttl',
  'volatile-random',
])('whatever %s evicts, what can be read can be removed by its tags', async policy => {
  const { url } = await ownServer('maxmemory 8mb', `maxmemory-policy ${policy}`)
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ url, prefix }), openClient(url)]
  const hot = MANY.slice(0, 200)
  for (let i = 0; i < MANY.length; i += 500) {
    // Reading keeps fences and records in use, and leaves the indexes to be evicted.
    await Promise.all(hot.map(key => adapter.get(key)))
    const some = MANY.slice(i, i + 500)
    await Promise.all(
      some.map((key, at) =>
        adapter.set(key, V, { ttl: 600_000, tags: [`t${(i + at) % TAGS}`, 'all'] }),
      ),
    )
  }
  const evicted = Number(/evicted_keys:(\d+)/.exec(await raw.info('stats'))?.[1])
  expect(evicted).toBeGreaterThan(1_000)
  expect((await readable(adapter, MANY)).length).toBeGreaterThan(0)
  for (let tag = 0; tag < TAGS; tag++) await adapter.deleteByTag(`t${tag}`)
  expect(await readable(adapter, MANY)).toEqual([])
})

test('without room, a set is refused whole, and everything that removes still works', async () => {
  const { url } = await ownServer('maxmemory 8mb', 'maxmemory-policy noeviction')
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ url, prefix }), openClient(url)]
  const outcomes: PromiseSettledResult<void>[] = []
  for (let i = 0; i < MANY.length; i += 500) {
    const some = MANY.slice(i, i + 500)
    outcomes.push(
      ...(await Promise.allSettled(
        some.map((key, at) => adapter.set(key, V, { tags: [`t${(i + at) % TAGS}`, `own ${key}`] })),
      )),
    )
  }
  const full = { code: 'L2_FULL', retryable: true, message: expect.stringContaining('maxmemory') }
  const refused = outcomes.flatMap(one => (one.status === 'rejected' ? [one.reason] : []))
  expect(refused.length).toBeGreaterThan(100)
  for (const reason of refused) expect(reason).toMatchObject(full)
  const kept = await readable(adapter, MANY)
  expect(kept.length).toBe(outcomes.length - refused.length)

  const [key = ''] = kept
  await expect(adapter.set(key, bytes('new'), { tags: ['u'] })).rejects.toMatchObject(full)
  await expect(adapter.set(key, bytes('new'))).rejects.toMatchObject(full)
  await expect(adapter.set(key, new Uint8Array(50_000), { tags: ['u'] })).rejects.toMatchObject(
    full,
  )
  await expect(adapter.ping()).rejects.toMatchObject(full)
  expect(await adapter.get(key)).toEqual(V)
  expect((await allUnder(raw, prefix)).filter(name => /\{\d+\}d/.test(name))).toEqual([])

  await adapter.delete(key)
  expect(await adapter.get(key)).toBeUndefined()
  // Another connection begins where there is no room as well.
  const other = openAdapter({ url, prefix })
  for (let tag = 0; tag < TAGS; tag++) await other.deleteByTag(`t${tag}`)
  expect(await readable(adapter, kept)).toEqual([])
  expect(await bookkeepingUnder(raw, prefix)).toBe(0)
  expect(await allUnder(raw, prefix)).toEqual([])
  await adapter.set(key, V, { tags: ['t'] })
  await adapter.ping()
})
