import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import { beforeEach, describe, expect, test } from 'vitest'
import { ownPostgres } from './support/own-postgres.js'
import { type Options, type OwnSchema, ownSchema, session } from './support/own-schema.js'
import { entryTable, tagTable } from './support/tables.js'
import { bytes, text } from './support/text.js'

const V = bytes('v')
const EMPTY = new Uint8Array()

// Nobody tells the planner what has become of the tables unless a test does.
const server = ownPostgres('autovacuum=off')
let own: OwnSchema
let raw: pg.Client
beforeEach(async () => {
  own = await ownSchema(server.url)
  raw = await session(server.url)
})

type Adapter = ReturnType<OwnSchema['open']>

async function fill(adapter: Adapter, count: number, options = {}, value = EMPTY): Promise<void> {
  for (let from = 0; from < count; from += 2_000)
    await Promise.all(
      Array.from({ length: Math.min(2_000, count - from) }, (_, i) =>
        adapter.set(`key ${from + i}`, value, options),
      ),
    )
}

/** Rows of both tables that were read by going through all of a table, by sessions that have ended. */
async function rowsScanned(): Promise<number> {
  // Those that go on tell what they did up to ten seconds later.
  const sessions = "SELECT FROM pg_stat_activity WHERE query LIKE '%l2_entries%' AND pid <> $1"
  const { rows: pids } = await raw.query('SELECT pg_backend_pid() AS pid')
  await expect.poll(async () => (await raw.query(sessions, [pids[0].pid])).rowCount).toBe(0)
  const { rows } = await raw.query(
    'SELECT sum(seq_tup_read)::int AS scanned FROM pg_stat_user_tables WHERE schemaname = $1',
    [own.schema],
  )
  return rows[0].scanned
}

test('hazard 27: what was planned for a tiny table stays fast when it has grown', async () => {
  const adapter = own.open()
  const use = async (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      await adapter.get(`key ${i}`)
      await adapter.set(`used ${i}`, V, { tags: ['u', `u${i}`], ttl: 60_000 })
      await adapter.delete(`used ${i}`)
      await Promise.all([adapter.get(`key ${i}`), adapter.get('key 1'), adapter.get('none')])
      await Promise.all(
        ['a', 'b', 'c'].map(key => adapter.set(key, V, { tags: ['u'], ttl: 60_000 })),
      )
      await Promise.all(['a', 'b', 'c'].map(key => adapter.delete(key)))
    }
  }
  // More often than it takes to settle on a plan, which is five times.
  await adapter.set('key 0', V, { tags: ['t'] })
  await raw.query(`ANALYZE ${entryTable(own.schema)}; ANALYZE ${tagTable(own.schema)}`)
  await use(30)
  const other = own.open()
  await fill(other, 20_000, { tags: ['t'] })
  await other.close()
  // Plans that were made for the tiny table and age are as good as they need be a moment later.
  await pause(1_000)
  await use(30)
  await adapter.close()
  expect(await rowsScanned()).toBeLessThan(20_000)
}, 60_000)

test('hazard 30: others go on setting what deleteByTag is removing, which ends all the same', async () => {
  const adapter = own.open()
  await fill(adapter, 20_000, { tags: ['t'] })
  const other = own.open()
  let removed = false
  let sets = 0
  const removing = adapter.deleteByTag('t').then(() => {
    removed = true
  })
  while (!removed) {
    await other.set(`key ${(sets * 37) % 20_000}`, V, { tags: ['t'] })
    sets++
  }
  await removing
  // One statement would make each of them wait for its end.
  expect(sets).toBeGreaterThan(10)
  await other.deleteByTag('t')
  await adapter.sweep()
  expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
}, 60_000)

test('hazard 30: no transaction of a bulk call holds more than a slice of the rows', async () => {
  const adapter = own.open()
  const holder = await session(server.url)
  for (const work of ['deleteByTag', 'clear', 'sweep'] as const) {
    await fill(adapter, 6_000, { tags: ['t'], ttl: work === 'sweep' ? 1 : 0 })
    await pause(5)
    // The last row in the order of locks is held: everything before it must have been committed.
    await holder.query(`BEGIN; SELECT 1 FROM ${entryTable(own.schema)}
      WHERE h = (SELECT h FROM ${entryTable(own.schema)} ORDER BY h DESC LIMIT 1) FOR UPDATE`)
    const call = work === 'deleteByTag' ? adapter.deleteByTag('t') : adapter[work]()
    call.catch(() => {})
    await expect
      .poll(async () => (await own.rows()).entry, { timeout: 20_000 })
      .toBeLessThanOrEqual(2_000)
    await holder.query('COMMIT')
    await call
    await adapter.sweep()
    expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
  }
}, 60_000)

describe('bulk calls', () => {
  const calls: [string, Options & { ttl?: number }, (adapter: Adapter) => Promise<unknown>][] = [
    ['deleteByTag', {}, adapter => adapter.deleteByTag('t')],
    ['clear', {}, adapter => adapter.clear()],
    ['sweep', { ttl: 1 }, adapter => adapter.sweep()],
  ]

  test.each(calls)('%s ends while another goes on setting', async (_, options, work) => {
    const adapter = own.open()
    const set = { tags: ['t'], ...options }
    await fill(adapter, 4_000, set)
    const other = own.open()
    let going = true
    const setting = (async () => {
      for (let i = 0; going; i++)
        await Promise.all(
          Array.from({ length: 20 }, (_, at) => other.set(`later ${i}.${at}`, EMPTY, set)),
        )
    })()
    const ended = await Promise.race([work(adapter).then(() => true), pause(20_000, false)])
    going = false
    await setting
    expect(ended).toBe(true)
  })

  test('an aborted one has removed some, and a second one removes the rest', async () => {
    const adapter = own.open()
    await fill(adapter, 20_000, { tags: ['t'] })
    const abort = new AbortController()
    const call = adapter.deleteByTag('t', { signal: abort.signal })
    call.catch(() => {})
    await expect.poll(async () => (await own.rows()).entry, { interval: 1 }).toBeLessThan(20_000)
    abort.abort()
    await expect(call).rejects.toBe(abort.signal.reason)
    expect((await own.rows()).entry).toBeGreaterThan(0)
    await adapter.deleteByTag('t')
    await adapter.sweep()
    expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
  })

  test('one with thousands of entries removes those alone', async () => {
    const [adapter, beside] = [own.open({ prefix: 'a' }), own.open({ prefix: 'b' })]
    await fill(adapter, 3_000, { tags: ['gone', 'other'] })
    await fill(beside, 3_000, { tags: ['gone'] })
    await adapter.set('key 7', V, { tags: ['other'] })
    await adapter.deleteByTag('gone')
    expect((await own.rows()).entry).toBe(3_001)
    expect(await adapter.get('key 7')).toEqual(V)
    await beside.clear()
    expect((await own.rows()).entry).toBe(1)
  })
})

test('hazard 39: one item that the server refuses fails none of those beside it', async () => {
  const adapter = own.open()
  await adapter.ping()
  await raw.query(`ALTER TABLE ${entryTable(own.schema)} ADD CHECK (octet_length(v) <> 13)`)
  const poison = new Uint8Array(13)
  for (const tags of [[], ['t']]) {
    for (let at = 0; at < 20; at += 4) {
      const calls = Array.from({ length: 20 }, (_, i) =>
        adapter.set(`k${i}`, i === at ? poison : bytes(`${i}`), { tags }),
      )
      const outcomes = await Promise.allSettled(calls)
      expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(
        calls.map((_, i) => i === at),
      )
      const got = await Promise.all(calls.map((_, i) => adapter.get(`k${i}`)))
      expect(got.map(text)).toEqual(calls.map((_, i) => (i === at ? undefined : `${i}`)))
      await adapter.clear()
    }
  }
})

test('hazard 39: of one key, those after a refused one count', async () => {
  const adapter = own.open()
  await adapter.set('k', bytes('before'), { tags: ['before'] })
  await raw.query(`ALTER TABLE ${entryTable(own.schema)} ADD CHECK (octet_length(v) <> 13)`)
  const poison = new Uint8Array(13)
  const outcomes = await Promise.allSettled([
    adapter.set('k', bytes('1'), { tags: ['t'] }),
    adapter.set('k', poison, { tags: ['t'] }),
    adapter.set('k', bytes('2'), { tags: ['t'] }),
    adapter.get('k'),
  ])
  expect(outcomes.at(2)?.status).toBe('fulfilled')
  expect(outcomes.at(3)).toMatchObject({ value: bytes('2') })
  expect(text(await adapter.get('k'))).toBe('2')
  await adapter.deleteByTag('before')
  expect(text(await adapter.get('k'))).toBe('2')
  // A refused last one leaves what was there before, or nothing: not half of two.
  const [, refused] = await Promise.allSettled([
    adapter.set('k', bytes('3'), { tags: ['u'] }),
    adapter.set('k', poison, { tags: ['t'] }),
  ])
  expect(refused.status).toBe('rejected')
  await adapter.deleteByTag('u')
  await adapter.deleteByTag('t')
  expect(await adapter.get('k')).toBeUndefined()
})

test('an entry may have a thousand tags', async () => {
  const adapter = own.open()
  const tags = Array.from({ length: 1_000 }, (_, i) => `tag ${i}`)
  await adapter.set('k', V, { tags })
  await adapter.set('k', bytes('w'), { tags: tags.slice(500) })
  await adapter.deleteByTag('tag 0')
  expect(text(await adapter.get('k'))).toBe('w')
  await adapter.sweep()
  expect(await own.rows()).toEqual({ entry: 1, tag: 500 })
  await adapter.deleteByTag('tag 999')
  await adapter.sweep()
  expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
})

test('setting the same tags again writes no tag rows', async () => {
  const adapter = own.open()
  const written = async () => {
    const { rows } = await raw.query(
      `SELECT max(xmin::text::bigint)::text AS last, count(*)::int AS rows FROM ${tagTable(own.schema)}`,
    )
    return rows[0]
  }
  await adapter.set('k', V, { tags: ['b', 'a', 'a'] })
  const before = await written()
  for (let i = 0; i < 100; i++) await adapter.set('k', bytes(`${i}`), { tags: ['a', 'b'] })
  expect(await written()).toEqual(before)
  expect(before.rows).toBe(2)
})
