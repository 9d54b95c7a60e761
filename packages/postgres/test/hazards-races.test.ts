import { beforeEach, describe, expect, onTestFailed, test } from 'vitest'
import { newSeed, randomFrom } from '../../core/test/support/random.mjs'
import { ownPostgres } from './support/own-postgres.js'
import { type OwnSchema, ownSchema } from './support/own-schema.js'
import { entryTable } from './support/tables.js'
import { bytes, text } from './support/text.js'

const V = bytes('v')
const HOUR = 3_600_000

const server = ownPostgres('deadlock_timeout=50ms')
let own: OwnSchema
beforeEach(async () => {
  own = await ownSchema(server.url)
})

const noDeadlock = () => expect(server.log()).not.toContain('40P01')

/** Both calls wait for the rows of all entries, in this order; then they may go on. */
async function inOrder(first: () => Promise<unknown>, second: () => Promise<unknown>) {
  const letGo = await own.holdEntries()
  const one = first()
  await own.untilWaiting(1)
  const two = second()
  await own.untilWaiting(2)
  await letGo()
  await Promise.all([one, two])
}

describe('two sessions, one schedule', () => {
  test('hazard 9: a get that sees an expired entry writes nothing, so it waits for nobody', async () => {
    const [adapter, beside] = [own.open(), own.open()]
    await adapter.set('k', V, { ttl: 1, tags: ['t'] })
    await expect.poll(() => adapter.get('k')).toBeUndefined()
    const letGo = await own.holdEntries()
    const set = beside.set('k', bytes('w'), { tags: ['t'] })
    await own.untilWaiting(1)
    expect(await adapter.get('k')).toBeUndefined()
    await letGo()
    await set
    expect(text(await adapter.get('k'))).toBe('w')
    await adapter.deleteByTag('t')
    expect(await adapter.get('k')).toBeUndefined()
  })

  test('hazard 9: a sweep that has seen an expired entry leaves the fresh one', async () => {
    const [adapter, beside] = [own.open(), own.open()]
    await adapter.set('k', V, { ttl: 1, tags: ['t'] })
    await expect.poll(() => adapter.get('k')).toBeUndefined()
    const letGo = await own.holdEntries()
    const set = beside.set('k', bytes('w'), { tags: ['t'] })
    await own.untilWaiting(1)
    const swept = adapter.sweep()
    await letGo()
    await Promise.all([set, swept])
    expect(text(await adapter.get('k'))).toBe('w')
    expect(await own.rows()).toEqual({ entry: 1, tag: 1 })
  })

  test.each([
    ['a', 'b'],
    ['b', 'a'],
  ])('hazard 10: of sets with tag %s, then %s, only the later tag removes', async (first, then) => {
    const [adapter, beside] = [own.open(), own.open()]
    for (const before of [['c'], ['a'], ['a', 'b'], []]) {
      await adapter.set('k', V, { tags: before })
      await inOrder(
        () => adapter.set('k', bytes(first), { tags: [first] }),
        () => beside.set('k', bytes(then), { tags: [then] }),
      )
      const winner = text(await adapter.get('k')) ?? ''
      const loser = winner === first ? then : first
      await adapter.deleteByTag(loser)
      await adapter.deleteByTag('c')
      expect(text(await adapter.get('k'))).toBe(winner)
      await adapter.deleteByTag(winner)
      expect(await adapter.get('k')).toBeUndefined()
    }
    await adapter.sweep()
    expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
  })

  test.each([
    ['set', 'deleteByTag'],
    ['deleteByTag', 'set'],
  ])('hazard 12: %s before %s of the tag it had: the entry stays', async first => {
    const [adapter, beside] = [own.open(), own.open()]
    for (const kept of [['new'], ['new', 'old2'], []]) {
      await adapter.set('k', V, { tags: ['old', 'old2'] })
      const retag = () => adapter.set('k', bytes('w'), { tags: kept })
      const remove = () => beside.deleteByTag('old')
      await (first === 'set' ? inOrder(retag, remove) : inOrder(remove, retag))
      expect(text(await adapter.get('k'))).toBe('w')
      await adapter.deleteByTag('old')
      expect(text(await adapter.get('k'))).toBe('w')
      for (const tag of kept) await adapter.deleteByTag(tag)
      expect(await adapter.get('k')).toEqual(kept.length ? undefined : bytes('w'))
    }
  })

  test('hazard 13: set of other tags is rolled back before deleteByTag: the entry goes', async () => {
    const [adapter, beside] = [own.open(), own.open()]
    const raw = await own.session()
    await adapter.set('k', V, { tags: ['old'] })
    const letGo = await own.holdEntries()
    const set = adapter.set('k', bytes('w'), { tags: ['new'] }).catch(error => error.code)
    await own.untilWaiting(1)
    const [victim] = await own.waiting()
    const remove = beside.deleteByTag('old')
    await own.untilWaiting(2)
    await raw.query('SELECT pg_terminate_backend($1)', [victim])
    expect(await set).toBe('L2_UNAVAILABLE')
    await letGo()
    await remove
    expect(await adapter.get('k')).toBeUndefined()
    await adapter.sweep()
    expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
  })

  test.each([
    ['delete', 'set'],
    ['set', 'delete'],
  ])('hazard 14: %s before %s: live and taggable, or gone', async first => {
    const [adapter, beside] = [own.open(), own.open()]
    await adapter.set('k', V, { tags: ['t'] })
    const set = () => adapter.set('k', bytes('w'), { tags: ['t', 'u'] })
    const remove = () => beside.delete('k')
    await (first === 'set' ? inOrder(set, remove) : inOrder(remove, set))
    expect([undefined, 'w']).toContain(text(await adapter.get('k')))
    await adapter.deleteByTag('u')
    expect(await adapter.get('k')).toBeUndefined()
    await adapter.sweep()
    expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
  })

  test('hazard 15: a sweep beside a set of the same tags takes none of its tag rows', async () => {
    const [adapter, beside] = [own.open(), own.open()]
    // Tag rows of the past for the sweep to find, and those that the set carries on.
    for (const tags of [['a'], ['b'], ['a', 'b'], ['t']]) await adapter.set('k', V, { tags })
    for (let round = 0; round < 5; round++) {
      const letGo = await own.holdEntries()
      const set = adapter.set('k', bytes(`${round}`), { tags: ['t'] })
      await own.untilWaiting(1)
      const swept = beside.sweep()
      await letGo()
      await Promise.all([set, swept])
    }
    await adapter.sweep()
    expect(await own.rows()).toEqual({ entry: 1, tag: 1 })
    await adapter.deleteByTag('t')
    expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
  })

  test('an expired entry that is set anew with the same tags can be removed by each', async () => {
    const [adapter, beside] = [own.open(), own.open()]
    for (const first of ['set', 'sweep']) {
      await adapter.set('k', V, { ttl: 1, tags: ['t', 'u'] })
      await expect.poll(() => adapter.get('k')).toBeUndefined()
      const set = () => adapter.set('k', bytes('w'), { tags: ['t', 'u'], ttl: HOUR })
      const calls = first === 'set' ? [set, () => beside.sweep()] : [() => beside.sweep(), set]
      await Promise.all(calls.map(call => call()))
      await beside.sweep()
      expect(text(await adapter.get('k'))).toBe('w')
      expect(await own.rows()).toEqual({ entry: 1, tag: 2 })
      await adapter.deleteByTag('u')
      expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
    }
  })
})

test('hazard 10: sets of one key at once, again and again: only the tag of the value removes', async () => {
  const adapters = Array.from({ length: 4 }, () => own.open())
  const [adapter = own.open()] = adapters
  const raw = await own.session()
  await adapter.ping()
  for (let round = 0; round < 60; round++) {
    const keys = ['k', `new ${round}`]
    // Held before they begin, so that they begin together.
    await raw.query(`BEGIN; LOCK TABLE ${entryTable(own.schema)} IN SHARE MODE`)
    const sets = adapters.flatMap((one, at) =>
      keys.map(key => one.set(key, bytes(`${at}`), { tags: [`${key}:${at}`] })),
    )
    await own.untilWaiting(adapters.length)
    await raw.query('COMMIT')
    await Promise.all(sets)
    for (const key of keys) {
      const winner = text(await adapter.get(key))
      const losers = [...adapters.keys()].filter(at => `${at}` !== winner)
      expect(losers).toHaveLength(adapters.length - 1)
      for (const at of losers) await adapter.deleteByTag(`${key}:${at}`)
      expect(text(await adapter.get(key))).toBe(winner)
      await adapter.deleteByTag(`${key}:${winner}`)
      expect(await adapter.get(key)).toBeUndefined()
    }
  }
  await adapter.sweep()
  expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
  noDeadlock()
})

test('hazard 11: an entry that is set with the same tags again and again goes by each', async () => {
  const adapter = own.open()
  for (const tag of ['a', 'b', 'c']) {
    for (let i = 0; i < 10; i++) await adapter.set('k', bytes(`${i}`), { tags: ['a', 'b', 'c'] })
    expect(await own.rows()).toMatchObject({ entry: 1 })
    await adapter.deleteByTag(tag)
    expect(await adapter.get('k')).toBeUndefined()
  }
})

test('hazard 17: of calls on one key in one turn the last one counts', async () => {
  const adapter = own.open()
  const many = Array.from({ length: 50 }, (_, i) => bytes(`${i}`))
  await Promise.all(many.map((value, i) => adapter.set('k', value, { tags: [`t${i}`] })))
  expect(text(await adapter.get('k'))).toBe('49')
  await Promise.all(Array.from({ length: 49 }, (_, i) => adapter.deleteByTag(`t${i}`)))
  expect(text(await adapter.get('k'))).toBe('49')
  await Promise.all([adapter.delete('k'), adapter.set('k', V), adapter.delete('k')])
  expect(await adapter.get('k')).toBeUndefined()
  await Promise.all([adapter.set('k', V), adapter.delete('k'), adapter.set('k', bytes('w'))])
  expect(text(await adapter.get('k'))).toBe('w')
  await Promise.all([
    adapter.set('k', V, { tags: ['t'] }),
    adapter.set('k', bytes('x'), { ttl: 1 }),
    adapter.set('k', bytes('y'), { ttl: HOUR, tags: ['t'] }),
  ])
  expect(text(await adapter.get('k'))).toBe('y')
  await adapter.deleteByTag('t')
  await adapter.sweep()
  expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
})

test('hazard 18: calls that nobody awaits take effect in the order they were made', async () => {
  const seed = newSeed()
  onTestFailed(() => console.error(`seed: ${seed}; set L2_SEED to replay it`))
  const random = randomFrom(seed)
  const adapter = own.open()
  const model = new Map<string, string>()
  for (let round = 0; round < 30; round++) {
    const gets: Promise<void>[] = []
    const writes: Promise<void>[] = []
    const calls = 1 + random(400)
    for (let i = 0; i < calls; i++) {
      const key = `k${random(20)}`
      const what = random(5)
      if (what < 2) {
        const expected = model.get(key)
        gets.push(
          adapter.get(key).then(value => {
            if (text(value) !== expected)
              throw new Error(
                `${key} is ${text(value)} instead of ${expected}, round ${round}.${i}`,
              )
          }),
        )
      } else if (what < 4) {
        // Large ones go in a batch of their own.
        const filler = random(50) === 0 ? ' '.repeat(1 << 20) : ''
        const value = `${round}.${i}${filler}`
        model.set(key, value)
        writes.push(adapter.set(key, bytes(value), { tags: [`t${random(3)}`] }))
      } else {
        model.delete(key)
        writes.push(adapter.delete(key))
      }
      // Some in later turns, while others are on their way.
      if (random(20) === 0) await new Promise(resolve => setImmediate(resolve))
    }
    const settled = await Promise.allSettled([...gets, ...writes])
    expect(settled.filter(({ status }) => status === 'rejected')).toEqual([])
    if (round % 5 === 4) {
      // These come after all of the above, and after what is not awaited right before them.
      const last = adapter.set('k0', V, { tags: ['t0'] })
      await Promise.all([last, ...[0, 1, 2].map(tag => adapter.deleteByTag(`t${tag}`))])
      model.clear()
    }
  }
}, 60_000)
