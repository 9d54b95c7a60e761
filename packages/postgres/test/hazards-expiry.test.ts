import { setTimeout as pause } from 'node:timers/promises'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { Child } from '../../core/test/support/child-process.mjs'
import { ownPostgres } from './support/own-postgres.js'
import { type OwnSchema, ownSchema } from './support/own-schema.js'
import { bytes, text } from './support/text.js'

const V = bytes('v')
const HOUR = 3_600_000

const server = ownPostgres()
let own: OwnSchema
beforeEach(async () => {
  own = await ownSchema(server.url)
})

test('hazards 19 and 26: any ttl is one', async () => {
  const adapter = own.open()
  const short = [1, 0.5, 0.000_1, Number.MIN_VALUE, 1.5, 7.25]
  const long = [
    0,
    undefined,
    0.5 + HOUR,
    2 ** 31,
    2 ** 32,
    9e15,
    Number.MAX_SAFE_INTEGER,
    Number.MAX_SAFE_INTEGER - 1,
  ]
  const keys = [...short, ...long].map(String)
  // One by one, and in one statement.
  for (const together of [false, true]) {
    const sets = [...short, ...long].map(ttl => () => adapter.set(String(ttl), V, { ttl }))
    if (together) await Promise.all(sets.map(set => set()))
    else for (const set of sets) await set()
    await pause(10)
    const got = await Promise.all(keys.map(key => adapter.get(key)))
    expect(got).toEqual([...short.map(() => undefined), ...long.map(() => V)])
  }
  for (const ttl of [-1, Number.NaN, Infinity, -Infinity])
    await expect(adapter.set('k', V, { ttl })).rejects.toThrow(RangeError)
  await adapter.sweep()
  expect((await own.rows()).entry).toBe(long.length)
})

test('hazard 20: clocks of clients that are off by an hour do not alter expiry', async () => {
  const children = [
    new Child(new URL('support/child-ahead.mjs', import.meta.url)),
    new Child(new URL('support/child-behind.mjs', import.meta.url)),
  ]
  onTestFinished(async () => {
    for (const child of children) await child.kill()
  })
  const clocks = await Promise.all(
    children.map(
      child =>
        new Promise<number>(resolve =>
          child.process.once('message', said => resolve((said as { now: number }).now)),
        ),
    ),
  )
  expect(clocks.map(now => Math.round((now - Date.now()) / HOUR))).toEqual([1, -1])
  const options = { url: server.url, schema: own.schema, sweepInterval: 0 }
  for (const child of children) {
    await child.ready
    await child.do('open', ['adapter', options])
  }
  const call = <T>(at: number, method: string, args: unknown[] = [], more = {}) =>
    children[at]?.do<T>('call', ['adapter', method, args, more])

  const right = own.open()
  for (const writer of [0, 1]) {
    await call(writer, 'set', ['long', V], { ttl: HOUR / 2, tags: ['t'] })
    await call(writer, 'set', ['short', V], { ttl: 1, tags: ['t'] })
    await pause(5)
    for (const sweeper of [0, 1]) {
      for (const reader of [0, 1]) {
        expect(await call(reader, 'get', ['long'])).toEqual(V)
        expect(await call(reader, 'get', ['short'])).toBeUndefined()
      }
      expect(await right.get('long')).toEqual(V)
      expect(await right.get('short')).toBeUndefined()
      await call(sweeper, 'sweep')
    }
  }
  expect((await own.rows()).entry).toBe(1)
  // Of two sets, the later one counts, whatever time its process thinks it is.
  await call(0, 'set', ['k', bytes('0')])
  await call(1, 'set', ['k', bytes('1')])
  expect(text(await right.get('k'))).toBe('1')
  await call(0, 'set', ['k', bytes('2')])
  expect(text(await right.get('k'))).toBe('2')
})

test('hazard 29: what has expired and is never read goes by itself, tag rows and all', async () => {
  const adapter = own.open({ sweepInterval: 20 })
  const sets = Array.from({ length: 3_000 }, (_, i) =>
    adapter.set(`k${i}`, V, { ttl: 1, tags: ['t', `t${i}`] }),
  )
  await Promise.all([...sets, adapter.set('kept', V, { tags: ['t'] })])
  await expect.poll(() => own.rows(), { timeout: 20_000 }).toEqual({ entry: 1, tag: 1 })
})

test('hazard 29: a sweep by hand reports, and leaves alone what has not expired', async () => {
  const adapter = own.open({ prefix: 'a:' })
  const beside = own.open({ prefix: 'b:' })
  await Promise.all(
    Array.from({ length: 3_000 }, (_, i) =>
      (i % 2 ? adapter : beside).set(`k${i}`, V, { ttl: i % 3 ? 1 : HOUR, tags: ['t'] }),
    ),
  )
  await pause(5)
  expect(await adapter.sweep()).toEqual({ removed: 2_000 })
  expect(await own.rows()).toEqual({ entry: 1_000, tag: 1_000 })
  expect(await adapter.sweep()).toEqual({ removed: 0 })
  await adapter.deleteByTag('t')
  await beside.deleteByTag('t')
  expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
})

test('hazard 28: 100 000 sets with changing tags leave no tag rows when all is gone', async () => {
  const adapter = own.open()
  const keys = Array.from({ length: 100 }, (_, at) => `k${at}`)
  for (let round = 0; round < 1_000; round++)
    await Promise.all(
      keys.map((key, at) =>
        // Sometimes the same tags as before, sometimes others, sometimes none.
        adapter.set(key, V, {
          tags: round % 7 ? [`t${round >> (at % 3)}`, `t${at}`] : [],
          ttl: HOUR,
        }),
      ),
    )
  await adapter.sweep()
  const { entry, tag } = await own.rows()
  expect(entry).toBe(100)
  // The rule of the design: at most twice the live ones, plus a constant.
  expect(tag).toBeLessThanOrEqual(2 * 200 + 100)
  await Promise.all(
    keys.map((key, at) => (at % 2 ? adapter.delete(key) : adapter.set(key, V, { ttl: 1 }))),
  )
  await pause(5)
  await adapter.sweep()
  expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
}, 120_000)

test('many sweepers at once do the work once, and none fails', async () => {
  const adapters = Array.from({ length: 6 }, () => own.open())
  const [first = own.open()] = adapters
  await Promise.all(
    Array.from({ length: 6_000 }, (_, i) => first.set(`k${i}`, V, { ttl: 1, tags: ['t'] })),
  )
  await pause(5)
  const reports = await Promise.all(adapters.map(adapter => adapter.sweep()))
  // One that finds another at work may leave it to that one.
  const removed = reports.reduce((sum, report) => sum + report.removed, 0)
  expect(removed).toBe(6_000)
  expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
})

test('an entry that expires takes nothing from a sibling with the same tag', async () => {
  const adapter = own.open()
  await adapter.set('short', V, { ttl: 1, tags: ['t'] })
  await adapter.set('long', V, { ttl: HOUR, tags: ['t'] })
  await pause(5)
  await adapter.sweep()
  await adapter.deleteByTag('t')
  expect(await adapter.get('long')).toBeUndefined()
})

test('a set of a key that has expired is as good as a first one', async () => {
  const adapter = own.open()
  await adapter.set('k', V, { ttl: 1, tags: ['old'] })
  await pause(5)
  await adapter.set('k', bytes('w'), { tags: ['new'] })
  await adapter.deleteByTag('old')
  await adapter.sweep()
  expect(text(await adapter.get('k'))).toBe('w')
  await adapter.deleteByTag('new')
  expect(await adapter.get('k')).toBeUndefined()
})
