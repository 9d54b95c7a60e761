import type { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { newSeed, randomFrom } from '../../core/test/support/random.mjs'
import { bytes, newPrefix, openAdapter, openClient, readable, text } from './support/adapters.js'
import { startChild } from './support/child.js'
import { allUnder, namesUnder, orphansUnder } from './support/look-inside.mjs'
import { redisUrl } from './support/redis-server.mjs'

const V = bytes('v')
const KEYS = Array.from({ length: 200 }, (_, i) => `k${i}`)

const remove = async (raw: Redis, prefix: string, what: 'fence' | 'index') => {
  for (const names of namesUnder(prefix)) await raw.del(names[what])
}

test('an index that is gone: its entries are misses once someone notices, and never orphans', async () => {
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ prefix }), openClient()]
  await Promise.all(KEYS.map(key => adapter.set(key, V, { tags: ['old'] })))
  await remove(raw, prefix, 'index')
  await Promise.all(KEYS.map((_, i) => adapter.set(`new ${i}`, V, { tags: ['new'] })))
  await adapter.deleteByTag('old')
  expect(await readable(adapter, KEYS)).toEqual([])
  expect(
    (
      await readable(
        adapter,
        KEYS.map((_, i) => `new ${i}`),
      )
    ).length,
  ).toBe(KEYS.length)
  expect(await orphansUnder(raw, prefix)).toEqual([])
})

test('an index that is gone, and nothing set since: deleteByTag removes too much rather than too little', async () => {
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ prefix }), openClient()]
  await Promise.all(KEYS.map(key => adapter.set(key, V, { tags: ['t'] })))
  await adapter.set('untagged', V)
  await remove(raw, prefix, 'index')
  await adapter.deleteByTag('t')
  expect(await readable(adapter, [...KEYS, 'untagged'])).toEqual(['untagged'])
})

test('a fence that is gone: tagged entries are misses, untagged ones are not, and the next set heals', async () => {
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ prefix }), openClient()]
  await Promise.all(KEYS.map(key => adapter.set(key, V, { tags: ['t'] })))
  await adapter.set('untagged', V)
  await remove(raw, prefix, 'fence')
  expect(await readable(adapter, [...KEYS, 'untagged'])).toEqual(['untagged'])
  await Promise.all(KEYS.slice(0, 100).map(key => adapter.set(key, V, { tags: ['u'] })))
  expect(await readable(adapter, KEYS)).toEqual(KEYS.slice(0, 100))
  await adapter.deleteByTag('t')
  expect(await readable(adapter, KEYS)).toEqual(KEYS.slice(0, 100))
  await adapter.deleteByTag('u')
  expect(await readable(adapter, KEYS)).toEqual([])
})

test('an invalidation needs no marker that could be lost: what it removed stays dead', async () => {
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ prefix }), openClient()]
  await Promise.all(KEYS.map(key => adapter.set(key, V, { tags: ['t'] })))
  await adapter.deleteByTag('t')
  await remove(raw, prefix, 'fence')
  await remove(raw, prefix, 'index')
  await Promise.all(KEYS.map((_, i) => adapter.set(`new ${i}`, V, { tags: ['u'] })))
  expect(await readable(adapter, KEYS)).toEqual([])
  expect((await allUnder(raw, prefix)).filter(name => /\}kk\d/.test(name))).toEqual([])
})

test.each([
  [
    'FLUSHALL, as far as the prefix goes',
    async (raw: Redis, prefix: string) => {
      for (const name of await allUnder(raw, prefix)) await raw.del(name)
    },
  ],
  ['a lost index', (raw: Redis, prefix: string) => remove(raw, prefix, 'index')],
  ['a lost fence', (raw: Redis, prefix: string) => remove(raw, prefix, 'fence')],
  ['clear()', (_: Redis, prefix: string) => openAdapter({ prefix }).clear()],
])('an old epoch never comes back, after %s', async (_, lose) => {
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ prefix }), openClient()]
  await Promise.all(KEYS.map(key => adapter.set(key, V, { tags: ['t'] })))
  const names = (await allUnder(raw, prefix)).filter(name => name.includes('}k'))
  const dumps = await Promise.all(names.map(name => raw.dumpBuffer(name)))
  for (let round = 0; round < 3; round++) {
    await lose(raw, prefix)
    // Puts an epoch into force in each bucket, by the process that made the old records.
    const others = Array.from({ length: 2_000 }, (_, i) => `other ${i}`)
    await Promise.all(others.map(key => adapter.set(key, V, { tags: ['t'] })))
    for (const [i, name] of names.entries())
      await raw.restore(name, 0, dumps[i] as Buffer, 'REPLACE')
    expect(await readable(adapter, KEYS)).toEqual([])
  }
})

test('an index without its fence is not taken over by the next epoch', async () => {
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ prefix }), openClient()]
  await adapter.set('a', V, { tags: ['t'] })
  await remove(raw, prefix, 'fence')
  await adapter.set('a', V, { tags: ['u'] })
  const [{ index } = { index: '' }] = await Promise.all(
    namesUnder(prefix).map(async names => ({ ...names, here: await raw.exists(names.index) })),
  ).then(all => all.filter(({ here }) => here))
  expect(await raw.zrangebylex(index, '-', '+')).toHaveLength(1)
})

test('a sweep beside sets of the same keys never drops a member that is true', async () => {
  const prefix = newPrefix()
  const [adapter, other, raw] = [openAdapter({ prefix }), openAdapter({ prefix }), openClient()]
  for (let round = 0; round < 8; round++) {
    await Promise.all(KEYS.map(key => adapter.set(key, V, { ttl: 2, tags: ['t', 'u'] })))
    await Promise.all([
      adapter.sweep(),
      ...KEYS.map(key => other.set(key, V, { tags: ['u'] })),
      adapter.sweep(),
    ])
    expect(await orphansUnder(raw, prefix)).toEqual([])
    expect(await readable(adapter, KEYS)).toEqual(KEYS)
    await adapter.deleteByTag('u')
    expect(await readable(adapter, KEYS)).toEqual([])
  }
})

test('a sweep leaves no fence of an index that is gone, when its entries are gone too', async () => {
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ prefix }), openClient()]
  for (const sweep of [() => adapter.sweep(), () => sweptInTheBackground(prefix, raw)]) {
    await Promise.all(KEYS.map(key => adapter.set(key, V, { tags: ['t'] })))
    await remove(raw, prefix, 'index')
    await raw.del((await allUnder(raw, prefix)).filter(name => /\{\d+\}k/.test(name)))
    expect((await allUnder(raw, prefix)).length).toBeGreaterThan(0)
    await sweep()
    expect(await allUnder(raw, prefix)).toEqual([])
  }
})

/** Waits until an adapter has swept by itself, as it does now and then. */
async function sweptInTheBackground(prefix: string, raw: Redis): Promise<void> {
  const adapter = openAdapter({ prefix, sweepInterval: 20 })
  await adapter.get('')
  await expect.poll(() => allUnder(raw, prefix), { timeout: 20_000 }).toEqual([])
}

test('reading an entry that has just expired removes nothing of one that is set again', async () => {
  const prefix = newPrefix()
  const [adapter, other, raw] = [openAdapter({ prefix }), openAdapter({ prefix }), openClient()]
  for (let round = 0; round < 30; round++) {
    await adapter.set('k', V, { ttl: 1, tags: ['t'] })
    await Promise.all([other.get('k'), adapter.set('k', V, { tags: ['t'] }), other.get('k')])
    expect(text(await other.get('k'))).toBe('v')
  }
  expect(await orphansUnder(raw, prefix)).toEqual([])
})

test('while keys of the bookkeeping are deleted at random, no acknowledged invalidation is undone', async () => {
  const seed = newSeed()
  const random = randomFrom(seed)
  const prefix = newPrefix()
  const [one, other, raw] = [openAdapter({ prefix }), openAdapter({ prefix }), openClient()]
  const names = namesUnder(prefix)
  let faults = 0
  for (let round = 0; round < 60; round++) {
    const tag = `t${random(3)}`
    const sets = KEYS.map((key, i) =>
      (i % 2 ? one : other).set(key, V, { tags: [tag, `own ${key}`], ttl: random(2) * 60_000 }),
    )
    for (let i = 0; i < 10; i++) {
      const { fence, index } = names[random(names.length)] as (typeof names)[number]
      faults += await raw.del(random(2) ? fence : index)
    }
    await Promise.all(sets)
    await other.deleteByTag(tag)
    expect(await readable(one, KEYS), `L2_SEED=${seed}`).toEqual([])
  }
  expect(faults).toBeGreaterThan(60)
})

test('a process that is killed leaves no entry that one of its tags would not remove', async () => {
  const prefix = newPrefix()
  const raw = openClient()
  for (let round = 0; round < 5; round++) {
    const child = await startChild()
    const options = { url: redisUrl(), prefix }
    child.do('churn', [options, { keys: 50, tags: 5, seed: round }]).catch(() => {})
    // Not before it is at work, and then at any moment.
    const before = await written()
    await expect.poll(written, { timeout: 20_000 }).toBeGreaterThan(before + 200)
    await new Promise(resolve => setTimeout(resolve, Math.random() * 20))
    await child.kill()
    // Redis carries out what the kernel has passed on.
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(await orphansUnder(raw, prefix)).toEqual([])
  }

  async function written(): Promise<number> {
    const stats = await raw.info('commandstats')
    return Number(/cmdstat_zadd:calls=(\d+)/.exec(stats)?.[1] ?? 0)
  }
})
