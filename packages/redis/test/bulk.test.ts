import { expect, test } from 'vitest'
import { bytes, newPrefix, openAdapter, openClient, readable } from './support/adapters.js'
import { allUnder } from './support/look-inside.mjs'

const V = bytes('v')

test('bulk work is done in small steps: no command has more than 64 records', async () => {
  const prefix = newPrefix()
  const adapter = openAdapter({ prefix })
  const keys = Array.from({ length: 10_000 }, (_, i) => `k${i}`)
  await Promise.all(keys.map(key => adapter.set(key, V, { tags: ['t'] })))
  const raw = openClient()
  const before = await calls()
  await adapter.deleteByTag('t')
  // 10 000 in steps of 64, which each look for the next, and 64 that begin.
  expect((await calls()) - before).toBeGreaterThanOrEqual(10_000 / 64)
  expect(await allUnder(raw, prefix)).toEqual([])

  async function calls(): Promise<number> {
    const stats = await raw.info('commandstats')
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0)
  }
})

test('deleteByTag comes to an end while others go on setting the tag', async () => {
  const prefix = newPrefix()
  const [adapter, writer] = [openAdapter({ prefix }), openAdapter({ prefix })]
  let stopped = false
  let written = 0
  // In the order in which they would be found.
  const write = async (lane: number) => {
    for (let i = 0; !stopped; i++) {
      await writer.set(`${lane}:${String(i).padStart(9, '0')}`, V, { tags: ['t'], ttl: 60_000 })
      written++
    }
  }
  const writers = Array.from({ length: 20 }, (_, lane) => write(lane))
  await expect.poll(() => written).toBeGreaterThan(500)
  await adapter.deleteByTag('t')
  const atEnd = written
  await expect.poll(() => written).toBeGreaterThan(atEnd)
  stopped = true
  await Promise.all(writers)
  await adapter.deleteByTag('t')
  await adapter.clear()
})

test('keys of 64 KiB are answered few at a time', async () => {
  const adapter = openAdapter()
  const keys = Array.from({ length: 300 }, (_, i) => `${i}`.padStart(60_000, 'x'))
  for (let i = 0; i < keys.length; i += 30)
    await Promise.all(keys.slice(i, i + 30).map(key => adapter.set(key, V, { tags: ['t'] })))
  await adapter.deleteByTag('t')
  expect(await readable(adapter, keys)).toEqual([])
})

test('what was set before deleteByTag was called is gone when it resolves, whoever sets meanwhile', async () => {
  const prefix = newPrefix()
  const [one, other] = [openAdapter({ prefix }), openAdapter({ prefix })]
  for (let round = 0; round < 60; round++) {
    const keys = Array.from({ length: 40 }, (_, i) => `k${i}`)
    await Promise.all(keys.map(key => one.set(key, bytes('before'), { tags: ['t'] })))
    const during = keys
      .slice(0, 20)
      .map(key => other.set(key, bytes('during'), { tags: ['t', 'u'] }))
    await Promise.all([one.deleteByTag('t'), ...during])
    const values = await Promise.all(keys.map(key => other.get(key)))
    expect(values.filter(value => value && Buffer.from(value).equals(bytes('before')))).toEqual([])
    await other.deleteByTag('u')
    expect(await readable(one, keys)).toEqual([])
  }
})
