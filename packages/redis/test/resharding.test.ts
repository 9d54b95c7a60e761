import { expect, test } from 'vitest'
import { newSeed, randomFrom } from '../../core/test/support/random.mjs'
import { bucketOf } from '../src/redis-keys.js'
import { SLOT_OF_BUCKET } from '../src/redis-slots.js'
import { bytes, newPrefix, readable, text } from './support/adapters.js'
import { allUnder, orphansUnder } from './support/look-inside.mjs'
import { ownCluster } from './support/own-cluster.js'
import { SlotMove } from './support/slot-move.mjs'

const V = bytes('v')
const cluster = ownCluster()

/** Keys of the bucket that key `k0` is in. */
const KEYS = Array.from({ length: 6_000 }, (_, i) => `k${i}`)
  .filter(key => bucketOf(key) === bucketOf('k0'))
  .slice(0, 40)
const SLOT = SLOT_OF_BUCKET[bucketOf('k0')] ?? -1

/** A node that has not got the slot. */
async function elsewhere(): Promise<number> {
  const ranges = (await cluster.place.clients[0]?.call('CLUSTER', 'SLOTS')) as [
    number,
    number,
    [string, number],
  ][]
  const [, , [, port] = []] = ranges.find(([from, to]) => from <= SLOT && SLOT <= to) ?? []
  return cluster.nodes.findIndex(node => node.port !== port)
}

const move = async () => SlotMove.of(cluster.place.clients, SLOT, await elsewhere())

test('a slot that has moved since: calls are sent on, also each first one of its kind', async () => {
  const prefix = newPrefix()
  for (const act of [
    (adapter: ReturnType<typeof cluster.open>) =>
      adapter.set('k0', bytes('moved'), { tags: ['u'] }),
    (adapter: ReturnType<typeof cluster.open>) =>
      adapter.set('k0', new Uint8Array(20_000), { tags: ['u'] }),
    (adapter: ReturnType<typeof cluster.open>) => adapter.delete('k0'),
    (adapter: ReturnType<typeof cluster.open>) => adapter.deleteByTag('t'),
    (adapter: ReturnType<typeof cluster.open>) => adapter.clear(),
    (adapter: ReturnType<typeof cluster.open>) => adapter.ping(),
    (adapter: ReturnType<typeof cluster.open>) => adapter.sweep(),
  ]) {
    const adapter = cluster.open({ prefix })
    await Promise.all(KEYS.map(key => adapter.set(key, V, { tags: ['t'] })))
    const moving = await move()
    await moving.begin()
    await moving.end()
    await act(adapter)
    expect(await orphansUnder(cluster.place.raw, prefix)).toEqual([])
    await adapter.clear()
    expect(await readable(cluster.open({ prefix }), KEYS)).toEqual([])
  }
})

test('two nodes of which each says that the other has the slot: calls wait until they agree', async () => {
  const adapter = cluster.open()
  await Promise.all([adapter.ping(), adapter.get('k0')])
  const moving = await move()
  await moving.dispute()
  const calls = [adapter.set('k0', V, { tags: ['t'] }), adapter.get('k1'), adapter.get('k0')]
  await new Promise(resolve => setTimeout(resolve, 200))
  await moving.end()
  expect((await Promise.all(calls)).map(one => one && text(one))).toEqual([
    undefined,
    undefined,
    'v',
  ])
  await adapter.deleteByTag('t')
  expect(await adapter.get('k0')).toBeUndefined()
})

const HALVES: [string, (name: string) => boolean][] = [
  ['nothing yet', () => false],
  ['some entries', name => /k.*[02468]$/.test(name)],
  ['all entries', name => /\}k/.test(name)],
  ['the fence', name => /\}f$/.test(name)],
  ['the index', name => /\}x$/.test(name)],
  ['everything', () => true],
]

test.each(HALVES)(
  'a slot of which %s has moved: what is there is read, what is not is a miss',
  async (_, part) => {
    const prefix = newPrefix()
    const adapter = cluster.open({ prefix, timeout: 2_000 })
    await Promise.all(KEYS.map((key, i) => adapter.set(key, V, { tags: i % 2 ? ['t'] : [] })))
    const moving = await move()
    await moving.begin()
    await moving.keys(part)
    expect(await readable(adapter, [...KEYS, `${KEYS[0]}-absent`])).toEqual(KEYS)
    const absent = Array.from({ length: 300 }, (_, i) => `absent ${i}`)
    expect(await readable(adapter, absent)).toEqual([])
    // In their order, though the read takes longer than the write.
    const calls = [adapter.get('k0'), adapter.set('k0', bytes('next')), adapter.get('k0')]
    const seen = await Promise.all(calls)
    expect(seen.map(one => one && text(one))).toEqual(['v', undefined, 'next'])
    // One key at a time is all that it takes.
    await adapter.set('k0', bytes('new'))
    expect(text(await adapter.get('k0'))).toBe('new')
    await adapter.delete('k0')
    expect(await adapter.get('k0')).toBeUndefined()
    await adapter.set('k0', bytes('again'))
    await adapter.ping()
    // A set with tags waits for the end.
    const late = KEYS.slice(1).map(key => adapter.set(key, bytes('late'), { tags: ['late'] }))
    const large = adapter.set('k0', new Uint8Array(20_000), { tags: ['late'] })
    await new Promise(resolve => setTimeout(resolve, 50))
    await moving.end()
    await Promise.all([...late, large])
    expect((await readable(adapter, KEYS)).length).toBe(KEYS.length)
    expect(await orphansUnder(cluster.place.raw, prefix)).toEqual([])
    await adapter.deleteByTag('late')
    expect(await readable(adapter, KEYS)).toEqual([])
    await adapter.clear()
  },
)

test.each(HALVES)(
  'a slot that is left half-way, of which %s has moved: removing works, setting with tags fails in time',
  async (_, part) => {
    const prefix = newPrefix()
    const adapter = cluster.open({ prefix, timeout: 1_000 })
    const setAll = () =>
      Promise.all(KEYS.map((key, i) => adapter.set(key, V, { tags: i % 2 ? ['t', 'u'] : [] })))
    await setAll()
    const moving = await move()
    await moving.begin()
    await moving.keys(part)
    const untagged = KEYS.filter((_, i) => i % 2 === 0)
    await adapter.deleteByTag('t')
    expect(await readable(adapter, KEYS)).toEqual(untagged)
    await expect(adapter.set('k0', V, { tags: ['t'] })).rejects.toMatchObject({
      code: 'L2_TIMEOUT',
    })
    await adapter.sweep()
    await adapter.clear()
    expect(await readable(adapter, KEYS)).toEqual([])
    expect((await allUnder(cluster.place.raw, prefix)).filter(name => /\}k/.test(name))).toEqual([])
    await moving.end()
    await setAll()
    expect(await readable(adapter, KEYS)).toEqual(KEYS)
    await adapter.clear()
    expect(await allUnder(cluster.place.raw, prefix)).toEqual([])
  },
)

test('while all slots move about: nothing acknowledged is lost, nothing comes back', {
  timeout: 120_000,
}, async () => {
  const seed = newSeed()
  const random = randomFrom(seed)
  const prefix = newPrefix()
  const [one, other] = [cluster.open({ prefix }), cluster.open({ prefix })]
  const { clients, raw } = cluster.place
  let moved = 0
  let stopped = false
  const reshard = async () => {
    while (!stopped) {
      const slot = SLOT_OF_BUCKET[random(SLOT_OF_BUCKET.length)] ?? 0
      const moving = await SlotMove.of(clients, slot, random(clients.length))
      await moving.begin()
      while ((await moving.keys(undefined, 3)) > 0);
      await moving.end()
      moved++
    }
  }
  const resharding = reshard()
  const keys = Array.from({ length: 400 }, (_, i) => `k${i}`)
  let rounds = 0
  try {
    for (; rounds < 8 || moved < 100; rounds++) {
      const value = bytes(`${rounds}`)
      const at = (i: number) => (i % 2 ? one : other)
      await Promise.all(
        keys.map((key, i) => at(i).set(key, value, { tags: i % 4 < 2 ? [`t${i % 3}`] : [] })),
      )
      const seen = await Promise.all(keys.map((key, i) => at(i + 1).get(key)))
      expect(seen.map(text), `L2_SEED=${seed}`).toEqual(keys.map(() => `${rounds}`))
      await Promise.all(keys.map((key, i) => (i % 5 === 0 ? at(i).delete(key) : undefined)))
      const left = keys.filter((_, i) => i % 5 !== 0)
      expect(await readable(one, keys), `L2_SEED=${seed}`).toEqual(left)
      if (rounds % 3 === 0) {
        await other.clear()
        expect(await readable(one, keys), `L2_SEED=${seed}`).toEqual([])
      } else {
        await Promise.all(['t0', 't1', 't2'].map(tag => other.deleteByTag(tag)))
        const untagged = left.filter(key => keys.indexOf(key) % 4 >= 2)
        expect(await readable(one, keys), `L2_SEED=${seed}`).toEqual(untagged)
      }
    }
  } finally {
    stopped = true
    await resharding
  }
  await one.sweep()
  expect(await orphansUnder(raw, prefix)).toEqual([])
  await one.clear()
  expect(await allUnder(raw, prefix)).toEqual([])
})
