import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { describe, expect, onTestFailed, onTestFinished, test } from 'vitest'
import { newSeed, randomFrom } from '../../core/test/support/random.mjs'
import { ownPostgres } from './support/own-postgres.js'
import { ownSchema, session } from './support/own-schema.js'
import { SESSION_STATE } from './support/session-state.js'
import { bytes, text } from './support/text.js'

const V = bytes('v')

const server = ownPostgres()

const settled = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    value => value,
    (error: unknown) => error,
  )

const TYPED = { code: expect.stringMatching(/^L2_(UNAVAILABLE|TIMEOUT)$/), retryable: true }

/** Waits until the adapter works again. */
const works = (adapter: { ping(): Promise<void> }) =>
  expect.poll(() => settled(adapter.ping()), { timeout: 15_000 }).toBeUndefined()

/** Ends the sessions of these names. */
async function terminate(raw: pg.Client, name: string): Promise<number> {
  const { rowCount } = await raw.query(
    'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1',
    [name],
  )
  return rowCount ?? 0
}

function named(name: string): string {
  const url = new URL(server.url)
  url.searchParams.set('application_name', name)
  return url.href
}

describe('connections that are killed', () => {
  test.each(['pool', 'url'])(
    'hazard 24: idle ones of a %s harm neither the process nor the next call',
    async way => {
      const own = await ownSchema(server.url)
      const raw = await own.session()
      const name = `idle-${way}`
      const pool = new pg.Pool({ connectionString: named(name), max: 5 })
      onTestFinished(() => pool.end())
      // Nobody but the adapter listens to the pool's errors.
      const adapter = own.open(way === 'pool' ? { pool } : { url: named(name) })
      const keys = Array.from({ length: 1_000 }, (_, i) => `k${i}`)
      for (let round = 0; round < 5; round++) {
        await Promise.all(keys.map(key => adapter.set(key, V, { tags: ['t'] })))
        await Promise.all(keys.map(key => adapter.get(key)))
        expect(await terminate(raw, name)).toBeGreaterThan(0)
        if (round % 2) await pause(50)
        await expect.poll(() => settled(adapter.get('k7')), { timeout: 5_000 }).toEqual(V)
      }
    },
  )

  test('hazard 25: in the middle of a batch, only its calls fail, and they have no effect', async () => {
    const own = await ownSchema(server.url)
    const raw = await own.session()
    const adapter = own.open()
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
    for (let round = 0; round < 3; round++) {
      await Promise.all(keys.map(key => adapter.set(key, bytes('before'), { tags: ['t'] })))
      const letGo = await own.holdEntries()
      const sets = keys.map(key => adapter.set(key, bytes('killed'), { tags: ['t'] }))
      const outcomes = Promise.all(sets.map(settled))
      await expect.poll(() => own.waiting()).not.toEqual([])
      // Reads of others go on meanwhile.
      expect(await adapter.get('none')).toBeUndefined()
      for (let victims = await own.waiting(); victims.length > 0; victims = await own.waiting())
        for (const pid of victims) await raw.query('SELECT pg_terminate_backend($1, 5000)', [pid])
      for (const outcome of await outcomes) expect(outcome).toMatchObject(TYPED)
      await letGo()
      // Nothing is sent again by itself.
      await pause(50)
      const beside = own.open()
      const values = await Promise.all(keys.map(key => beside.get(key)))
      expect(values.map(text)).toEqual(keys.map(() => 'before'))
      await adapter.set('k0', V)
      expect(await adapter.get('k0')).toEqual(V)
    }
  })

  test('hazard 25: under load, again and again: no call hangs, nothing acknowledged is lost', async () => {
    const seed = newSeed()
    onTestFailed(() => console.error(`seed: ${seed}; set L2_SEED to replay it`))
    const random = randomFrom(seed)
    const own = await ownSchema(server.url)
    const raw = await own.session()
    const adapter = own.open({ url: named('load') })
    await adapter.ping()
    let stopped = false
    let failed = 0
    const lane = async (key: string) => {
      /** What may be there: the last that was acknowledged, and what was tried since. */
      let possible: (string | undefined)[] = [undefined]
      for (let i = 0; !stopped; i++) {
        const value = random(4) === 0 ? undefined : `${i}`
        const error = await settled(
          value === undefined
            ? adapter.delete(key)
            : adapter.set(key, bytes(value), { tags: ['t', key] }),
        )
        possible = error === undefined ? [value] : [...possible, value]
        if (error !== undefined) {
          failed++
          expect(error).toMatchObject(TYPED)
          await pause(1)
        }
        const got = await settled(adapter.get(key))
        if (got instanceof Error) expect(got).toMatchObject(TYPED)
        else {
          expect(possible).toContain(text(got as Uint8Array | undefined))
        }
      }
    }
    const lanes = Array.from({ length: 50 }, (_, at) => lane(`k${at}`))
    for (let kill = 0; kill < 15; kill++) {
      await pause(50 + random(100))
      await terminate(raw, 'load')
    }
    stopped = true
    await Promise.all(lanes)
    expect(failed).toBeGreaterThan(0)
    await works(adapter)
    await adapter.deleteByTag('t')
    await adapter.sweep()
    expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
  }, 60_000)

  test('bulk calls that lose their connection fail typed, and can be repeated', async () => {
    const own = await ownSchema(server.url)
    const raw = await own.session()
    const adapter = own.open({ url: named('bulk') })
    await Promise.all(
      Array.from({ length: 10_000 }, (_, i) => adapter.set(`k${i}`, V, { tags: ['t'] })),
    )
    const removing = settled(adapter.deleteByTag('t'))
    await terminate(raw, 'bulk')
    const outcome = await removing
    if (outcome !== undefined) expect(outcome).toMatchObject(TYPED)
    await works(adapter)
    await adapter.deleteByTag('t')
    await adapter.sweep()
    expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
  })
})

describe('a server that crashes', () => {
  test.each([
    ['kill', false],
    ['stopAtOnce', false],
    ['kill', true],
    ['stopAtOnce', true],
  ] as const)('hazard 36: %s, logged %j: what was removed stays so', async (end, logged) => {
    const own = await ownSchema(server.url)
    const adapter = own.open({ logged, timeout: 2_000 })
    const keys = Array.from({ length: 200 }, (_, i) => `k${i}`)
    for (let round = 0; round < 2; round++) {
      await Promise.all(keys.map(key => adapter.set(key, V, { tags: ['t', key], ttl: 600_000 })))
      // What is to be there after the crash has to be on disk: sets get there a moment later.
      await pause(1_000)
      await Promise.all(
        keys.slice(0, 50).map(key => adapter.set(key, bytes('w'), { tags: ['t', key] })),
      )
      await Promise.all(keys.slice(0, 40).map(key => adapter.delete(key)))
      await Promise.all(keys.slice(40, 50).map(key => adapter.deleteByTag(key)))
      await server[end]()
      expect(await settled(adapter.get('k0'))).toMatchObject(TYPED)
      expect(await settled(adapter.set('k0', V))).toMatchObject(TYPED)
      await server.startAgain()
      await works(adapter)
      const left = await Promise.all(keys.map(async key => text(await adapter.get(key))))
      expect(left).toEqual(keys.map((_, at) => (logged && at >= 50 ? 'v' : undefined)))
      // Everything works as it did: each entry goes by its tag.
      await adapter.set('k0', V, { tags: ['t'] })
      expect(await adapter.get('k0')).toEqual(V)
      await adapter.deleteByTag('t')
      await adapter.sweep()
      expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
      await adapter.set('cleared', V)
      await adapter.clear()
      await server[end]()
      await server.startAgain()
      await works(adapter)
      expect(await adapter.get('cleared')).toBeUndefined()
    }
  })

  test('hazard 36: logged, under load: what can be read afterwards goes with its tags', async () => {
    const own = await ownSchema(server.url)
    const adapter = own.open({ logged: true, timeout: 2_000 })
    for (let round = 0; round < 3; round++) {
      let stopped = false
      const lane = async (at: number) => {
        for (let i = 0; !stopped; i++) {
          const key = `k${(i * 7 + at) % 40}`
          const outcome = await settled(
            i % 5 ? adapter.set(key, V, { tags: [`${i % 3}`, `${i % 2}`] }) : adapter.delete(key),
          )
          if (outcome !== undefined) {
            expect(outcome).toMatchObject(TYPED)
            await pause(5)
          }
        }
      }
      const lanes = Array.from({ length: 20 }, (_, at) => lane(at))
      await pause(200)
      await (round % 2 ? server.stopAtOnce() : server.kill())
      await server.startAgain()
      await pause(100)
      stopped = true
      await Promise.all(lanes)
      await works(adapter)
      for (const tag of ['0', '1', '2']) await adapter.deleteByTag(tag)
      await adapter.sweep()
      expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
    }
  }, 60_000)

  test('a fast shutdown loses nothing, logged or not', async () => {
    for (const logged of [false, true]) {
      const own = await ownSchema(server.url)
      const adapter = own.open({ logged, timeout: 2_000 })
      await adapter.set('k', V, { tags: ['t'] })
      await server.stop()
      await server.startAgain()
      await works(adapter)
      expect(await adapter.get('k')).toEqual(V)
      await adapter.deleteByTag('t')
      expect(await adapter.get('k')).toBeUndefined()
    }
  })
})

describe('a server that takes no writes', () => {
  const refused = {
    code: 'L2_READ_ONLY',
    retryable: false,
    message: expect.stringMatching(/replica|read.only/i),
  }

  test.each([false, true])(
    'hazard 37: a replica is refused with what helps: logged %j',
    async logged => {
      const own = await ownSchema(server.url)
      const before = own.open({ logged, timeout: 2_000 })
      await before.set('k', V, { tags: ['t'] })
      await server.stop()
      await server.startAgain({ standby: true })
      onTestFinished(async () => {
        await server.stop()
        await server.startAgain()
      })
      // One that knew it as a primary, and ones that come now.
      for (const adapter of [before, own.open({ logged }), own.open({ migrate: 'off' })]) {
        await expect
          .poll(() => settled(adapter.set('k', V, { tags: ['t'] })), { timeout: 10_000 })
          .toMatchObject(refused)
        for (const call of [
          () => adapter.get('k'),
          () => adapter.ping(),
          () => adapter.delete('k'),
          () => adapter.deleteByTag('t'),
          () => adapter.clear(),
        ])
          expect(await settled(call())).toMatchObject(refused)
      }
      const raw = await session(server.url)
      await raw.query('SELECT pg_promote()')
      await works(before)
      expect(await before.get('k')).toEqual(logged ? V : undefined)
      await before.set('k', V, { tags: ['t'] })
      await before.deleteByTag('t')
      expect(await before.get('k')).toBeUndefined()
    },
  )

  test('a database whose transactions only read is refused with what helps', async () => {
    const own = await ownSchema(server.url)
    const before = own.open()
    await before.set('k', V)
    const raw = await own.session()
    await raw.query("ALTER ROLE l2 SET default_transaction_read_only = 'on'")
    onTestFinished(async () => {
      const again = await session(server.url)
      await again.query('SET default_transaction_read_only = off')
      await again.query('ALTER ROLE l2 RESET default_transaction_read_only')
    })
    const adapter = own.open()
    expect(await settled(adapter.ping())).toMatchObject(refused)
    expect(await settled(adapter.set('k', V))).toMatchObject(refused)
  })
})

test('a server that has no connection left fails calls typed, and then works', async () => {
  const own = await ownSchema(server.url)
  const raw = await own.session()
  await raw.query("CREATE ROLE few LOGIN PASSWORD 'secret' CONNECTION LIMIT 1 SUPERUSER")
  await raw.query('ALTER ROLE few NOSUPERUSER; GRANT CREATE ON DATABASE postgres TO few')
  const url = new URL(server.url)
  url.username = 'few'
  url.password = 'secret'
  const taken = await session(url.href)
  const adapter = own.open({ connection: { connectionString: url.href, max: 1 } })
  expect(await settled(adapter.get('k'))).toMatchObject({ code: 'L2_UNAVAILABLE', retryable: true })
  await taken.end()
  await works(adapter)
  // One connection is enough, for as many calls as there are.
  const keys = Array.from({ length: 500 }, (_, i) => `k${i}`)
  await Promise.all(keys.map(key => adapter.set(key, V, { tags: ['t'] })))
  expect(await Promise.all(keys.map(key => adapter.get(key)))).toEqual(keys.map(() => V))
  await Promise.all([adapter.deleteByTag('t'), adapter.sweep(), adapter.ping()])
  expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
})

test('hazard 23: a Pool that the user brings is left as it was', async () => {
  const pool = new pg.Pool({ connectionString: server.url, max: 1 })
  onTestFinished(() => pool.end())
  const own = await ownSchema(server.url)
  const before = (await pool.query(SESSION_STATE)).rows
  const adapter = own.open({ pool })
  await Promise.all([adapter.set('k', V, { tags: ['t'], ttl: 5 }), adapter.get('k')])
  await adapter.ping()
  await adapter.deleteByTag('t')
  await adapter.sweep()
  await adapter.clear()
  expect((await pool.query(SESSION_STATE)).rows).toEqual(before)
  await adapter.close()
  expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([1, 1, 0])
  expect((await pool.query(SESSION_STATE)).rows).toEqual(before)
})

test('any number of adapters share a Pool, and leave one listener there', async () => {
  const pool = new pg.Pool({ connectionString: server.url, max: 1 })
  onTestFinished(() => pool.end())
  const warnings: Error[] = []
  const warn = (warning: Error) => void warnings.push(warning)
  process.on('warning', warn)
  onTestFinished(() => void process.off('warning', warn))
  const own = await ownSchema(server.url)
  // Node warns of more than ten listeners, since that often is a leak.
  for (let i = 0; i < 15; i++) {
    const adapter = own.open({ pool, prefix: `${i}:` })
    await adapter.set('k', V)
    if (i % 2) await adapter.close()
  }
  const client = await pool.connect()
  const listeners = client.listenerCount('error')
  client.release()
  expect(listeners).toBeLessThan(10)
  expect(pool.listenerCount('error')).toBe(1)
  await pause(0)
  expect(warnings).toEqual([])
})
