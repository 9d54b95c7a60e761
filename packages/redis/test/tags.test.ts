import { setTimeout as pause } from 'node:timers/promises'
import type { RedisAdapter } from '@l2/redis'
import { expect, test } from 'vitest'
import { bytes, newPrefix, openAdapter, openClient, readable, text } from './support/adapters.js'
import { allUnder, bookkeepingUnder, namesUnder, orphansUnder } from './support/look-inside.mjs'

const V = bytes('v')

test('a short-lived entry does not shorten the index of a long-lived one', async () => {
  const adapter = openAdapter()
  await adapter.set('long', V, { ttl: 60_000, tags: ['t'] })
  // In every bucket.
  await Promise.all(
    Array.from({ length: 500 }, (_, i) => adapter.set(`s${i}`, V, { ttl: 10, tags: ['t'] })),
  )
  await pause(1_100)
  expect(text(await adapter.get('long'))).toBe('v')
  await adapter.deleteByTag('t')
  expect(await adapter.get('long')).toBeUndefined()
})

test('an entry that never expires, in an index that does, can be removed when that time has come', async () => {
  const prefix = newPrefix()
  const adapter = openAdapter({ prefix })
  const raw = openClient()
  const keys = Array.from({ length: 300 }, (_, i) => `k${i}`)
  for (const key of keys) await adapter.set(key, V, { ttl: 20, tags: ['t'] })
  await Promise.all(keys.map(key => adapter.set(key, V, { tags: ['t'] })))
  for (const { index, fence } of namesUnder(prefix)) {
    expect([-1, -2]).toContain(await raw.pttl(index))
    expect([-1, -2]).toContain(await raw.pttl(fence))
  }
  await pause(1_200)
  expect(await readable(adapter, keys)).toEqual(keys)
  await adapter.deleteByTag('t')
  expect(await readable(adapter, keys)).toEqual([])
})

test('index and fence live longer than the longest of their entries, and no immortal lifetime is cut', async () => {
  const prefix = newPrefix()
  const adapter = openAdapter({ prefix })
  const raw = openClient()
  const lifetimes = async () => {
    const all = await Promise.all(
      namesUnder(prefix).map(({ index, fence }) => Promise.all([raw.pttl(index), raw.pttl(fence)])),
    )
    return all.filter(([index]) => index !== -2)
  }
  for (const [ttl, least] of [
    [1_000, 1_000],
    [50_000, 50_000],
    [10, 49_000],
  ] as const) {
    await adapter.set('k', V, { ttl, tags: ['t'] })
    const [[index, fence] = [0, 0], ...others] = await lifetimes()
    expect(others).toEqual([])
    expect(index).toBeGreaterThan(least)
    expect(fence).toBeGreaterThan(least)
  }
  for (const ttl of [2 ** 53 - 1, 0, 10]) {
    await adapter.set('k', V, { ttl, tags: ['t'] })
    expect(await lifetimes()).toEqual([[-1, -1]])
  }
})

test.each([
  ['with another tag', { tags: ['new'] }],
  ['without tags', {}],
  ['without tags, with a ttl', { ttl: 60_000 }],
  ['large, with another tag', { tags: ['new'] }, 20_000],
  ['large, without tags', {}, 20_000],
])(
  'an entry that was set again %s does not answer to its old tag',
  async (_, options, size = 1) => {
    const adapter = openAdapter()
    const value = new Uint8Array(size).fill(7)
    await adapter.set('k', V, { tags: ['old', 'older'] })
    await adapter.set('k', value, options)
    await adapter.deleteByTag('old')
    await adapter.sweep()
    await adapter.deleteByTag('older')
    expect(await adapter.get('k')).toEqual(value)
  },
)

test.each([
  ['set without tags in between', (adapter: RedisAdapter) => adapter.set('k', V)],
  [
    'expired in between',
    async (adapter: RedisAdapter) => {
      await adapter.set('k', V, { ttl: 1, tags: ['old'] })
      await pause(20)
    },
  ],
])(
  'an entry that was %s does not answer to its old tag, of which the index still knows',
  async (_, forget) => {
    const adapter = openAdapter()
    await adapter.set('k', V, { tags: ['old'] })
    await forget(adapter)
    await adapter.set('k', V, { tags: ['new'] })
    await adapter.deleteByTag('old')
    expect(text(await adapter.get('k'))).toBe('v')
    await adapter.deleteByTag('new')
    expect(await adapter.get('k')).toBeUndefined()
  },
)

test('an entry whose ttl was taken away survives all maintenance', async () => {
  const adapter = openAdapter()
  await adapter.set('k', V, { ttl: 30, tags: ['t'] })
  await adapter.set('k', V, { tags: ['t'] })
  await pause(50)
  await adapter.set('other', V, { ttl: 1, tags: ['t'] })
  await adapter.sweep()
  await adapter.deleteByTag('u')
  expect(text(await adapter.get('k'))).toBe('v')
  await adapter.deleteByTag('t')
  expect(await adapter.get('k')).toBeUndefined()
})

test.each([
  ['an empty tag', ['']],
  ['an empty tag beside others', ['', 'a', 'b']],
  ['a tag that begins another', ['a', 'ab', 'abc']],
  ['tags that look like what separates them', ['\0', 'ÿ', 'þ', '\u00ff\u00fe', '\ufffd']],
  ['a tag of 5 000 bytes', ['x'.repeat(5_000)]],
  ['a tag of 64 KiB', ['é'.repeat(32_768), 'short']],
  ['255 tags', Array.from({ length: 255 }, (_, i) => `t${i}`)],
  ['the same tag twice', ['t', 't']],
  ['patterns', ['*', '?', '[a]', '(', '[', '-', '+', '%']],
])('%s: each removes what carries it, and nothing else', async (_, tags) => {
  const prefix = newPrefix()
  const adapter = openAdapter({ prefix })
  const raw = openClient()
  await adapter.set('beside', V, { tags: ['beside'] })
  const some = tags.length > 20 ? [tags[0] ?? '', tags[7] ?? '', tags.at(-1) ?? ''] : tags
  for (const tag of new Set(some)) {
    await adapter.set('k', V, { tags })
    expect(await orphansUnder(raw, prefix)).toEqual([])
    await adapter.deleteByTag(tag.length > 1_000 ? tag.slice(1) : `${tag}!`)
    expect(text(await adapter.get('k'))).toBe('v')
    await adapter.deleteByTag(tag)
    expect(await adapter.get('k')).toBeUndefined()
  }
  expect(text(await adapter.get('beside'))).toBe('v')
  await adapter.delete('beside')
  await adapter.sweep()
  expect(await allUnder(raw, prefix)).toEqual([])
})

test('an entry may have 20 000 tags, and get others', async () => {
  const prefix = newPrefix()
  const adapter = openAdapter({ prefix })
  const raw = openClient()
  const tags = (start: string) => Array.from({ length: 20_000 }, (_, i) => `${start}${i}`)
  await adapter.set('k', V, { tags: tags('a') })
  await adapter.set('k', V, { tags: tags('b') })
  expect(await bookkeepingUnder(raw, prefix)).toBe(20_000)
  await adapter.deleteByTag('a19999')
  expect(text(await adapter.get('k'))).toBe('v')
  await adapter.deleteByTag('b19999')
  expect(await adapter.get('k')).toBeUndefined()
  await adapter.set('k', V, { tags: tags('c') })
  await adapter.delete('k')
  await adapter.sweep()
  expect(await allUnder(raw, prefix)).toEqual([])
})

test('deleted entries leave nothing, soon after and without a sweep', async () => {
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ prefix }), openClient()]
  const keys = Array.from({ length: 200 }, (_, i) => `k${i}`)
  await Promise.all(keys.map(key => adapter.set(key, V, { tags: ['', 'all', `own ${key}`] })))
  await Promise.all(keys.map(key => adapter.delete(key)))
  expect(await readable(adapter, keys)).toEqual([])
  await expect.poll(() => allUnder(raw, prefix)).toEqual([])
})

test('an entry that is deleted and set again at once keeps its tags', async () => {
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ prefix }), openClient()]
  const keys = Array.from({ length: 50 }, (_, i) => `k${i}`)
  for (let round = 0; round < 10; round++) {
    await Promise.all(keys.map(key => adapter.set(key, V, { tags: ['t', `own ${key}`] })))
    await Promise.all(keys.map(key => adapter.delete(key)))
    await Promise.all(keys.map(key => adapter.set(key, V, { tags: ['t', `own ${key}`] })))
    expect(await orphansUnder(raw, prefix)).toEqual([])
    await adapter.deleteByTag('t')
    expect(await readable(adapter, keys)).toEqual([])
  }
})

test('short-lived entries with tags of their own leave nothing, swept or not', async () => {
  const prefix = newPrefix()
  const adapter = openAdapter({ prefix })
  const sets = Array.from({ length: 500 }, (_, i) =>
    adapter.set(`k${i}`, V, { ttl: 50, tags: [`only ${i}`, `third ${i % 3}`] }),
  )
  await Promise.all(sets)
  await pause(1_300)
  expect(await allUnder(openClient(), prefix)).toEqual([])
})

test('in the background, an index is kept small beside an entry that never expires', async () => {
  const prefix = newPrefix()
  const adapter = openAdapter({ prefix, sweepInterval: 50 })
  const raw = openClient()
  await Promise.all(
    Array.from({ length: 200 }, (_, i) => adapter.set(`immortal ${i}`, V, { tags: ['t'] })),
  )
  for (let round = 0; round < 5; round++)
    await Promise.all(
      Array.from({ length: 2_000 }, (_, i) =>
        adapter.set(`${round} ${i}`, V, { ttl: 20, tags: ['t', `own ${i}`] }),
      ),
    )
  const most = () => bookkeepingUnder(raw, prefix)
  await expect.poll(most, { timeout: 20_000 }).toBeLessThan(400)
  expect(await most()).toBeGreaterThanOrEqual(200)
  await adapter.deleteByTag('t')
  await expect.poll(most, { timeout: 20_000 }).toBe(0)
})

test('by the clock of Redis: a clock of ours that is wrong changes nothing', async () => {
  const adapter = openAdapter()
  const now = Date.now
  try {
    Date.now = () => now() + 3_600_000
    await adapter.set('k', V, { ttl: 200, tags: ['t'] })
    Date.now = () => now() - 3_600_000
    expect(text(await adapter.get('k'))).toBe('v')
    await adapter.set('l', V, { tags: ['t'] })
    await adapter.deleteByTag('t')
    expect(await readable(adapter, ['k', 'l'])).toEqual([])
  } finally {
    Date.now = now
  }
})

test.each([
  [1_500, 1_500],
  [1.5, 2],
  [0.001, 1],
  [2 ** 53 - 1, 2 ** 53 - 1],
])('a ttl of %d is %d ms in Redis, with tags, without and large', async (ttl, expected) => {
  const prefix = newPrefix()
  const adapter = openAdapter({ prefix })
  const raw = openClient()
  // In one script, before it can expire.
  const script = `return {redis.call('PTTL', KEYS[1]), redis.call('PTTL', KEYS[2]), redis.call('PTTL', KEYS[3])}`
  await Promise.all([
    adapter.set('a', V, { ttl, tags: ['t'] }),
    adapter.set('b', V, { ttl }),
    adapter.set('c', new Uint8Array(20_000), { ttl, tags: ['t'] }),
  ])
  const names = ['a', 'b', 'c'].map(key => recordName(prefix, key))
  const left = (await raw.eval(script, 3, ...names)) as number[]
  for (const one of left) {
    // The server's clock may have stepped back by a little meanwhile.
    expect(one).toBeLessThanOrEqual(expected + 10)
    // -2: it has expired already.
    if (expected > 1_000) expect(one).toBeGreaterThan(expected - 1_000)
    else expect([-2, 0, 1, 2]).toContain(one)
  }
})

function recordName(prefix: string, key: string): string {
  let hash = 0x811c9dc5
  for (const unit of key) hash = Math.imul(hash ^ unit.charCodeAt(0), 0x01000193)
  return `${prefix}{${(hash ^ (hash >>> 15) ^ (hash >>> 24)) & 63}}k${key}`
}
