import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { describe, expect, onTestFailed, onTestFinished, test } from 'vitest'
import { newSeed, randomFrom } from '../../core/test/support/random.mjs'
import { ownBouncer } from './support/own-bouncer.js'
import { ownSchema, session } from './support/own-schema.js'
import { SESSION_STATE } from './support/session-state.js'
import { bytes, text } from './support/text.js'

const V = bytes('v')

const settled = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    value => value,
    (error: unknown) => error,
  )

const ways: [string, string[]][] = [
  // One connection to the server for all, so that whatever one leaves there another one finds.
  ['one connection', ['default_pool_size = 1']],
  ['ten connections', ['default_pool_size = 10']],
  ['prepared statements', ['default_pool_size = 2', 'max_prepared_statements = 100']],
]

for (const [name, settings] of ways) {
  // By default it waits for 15 s before it tries again to log in.
  const behind = await ownBouncer(...settings, 'server_login_retry = 1')
  describe(`PgBouncer in transaction mode, ${name}`, () => {
    if (typeof behind === 'string') {
      console.warn(`pgbouncer, ${name}: none to be had here, so it is NOT tested: ${behind}`)
      test('hazard 22', ({ skip }) => skip())
      return
    }
    const { server, bouncer } = behind
    const { url } = bouncer

    test('hazard 22: several adapters and apps at once work, each on its own tables', async () => {
      const places = await Promise.all([1, 2, 3].map(() => ownSchema(server.url)))
      const adapters = places.flatMap(place => [place.open({ url }), place.open({ url })])
      for (let round = 0; round < 10; round++) {
        await Promise.all(
          adapters.flatMap((adapter, at) =>
            Array.from({ length: 30 }, (_, i) =>
              adapter.set(`k${i}`, bytes(`${at >> 1}`), { tags: ['t', `t${i}`] }),
            ),
          ),
        )
        const got = await Promise.all(
          adapters.flatMap(adapter =>
            Array.from({ length: 30 }, async (_, i) => text(await adapter.get(`k${i}`))),
          ),
        )
        expect(got).toEqual(adapters.flatMap((_, at) => Array(30).fill(`${at >> 1}`)))
        await adapters[0]?.deleteByTag(`t${round}`)
        expect(await adapters[1]?.get(`k${round}`)).toBeUndefined()
        expect(text(await adapters[2]?.get(`k${round}`))).toBe('1')
      }
      for (const adapter of adapters) await adapter.clear()
      for (const adapter of adapters) await adapter.sweep()
      for (const place of places) expect(await place.rows()).toEqual({ entry: 0, tag: 0 })
    })

    test('hazard 22: what the adapter prepared in one connection, others may throw away', async () => {
      const own = await ownSchema(server.url)
      const adapter = own.open({ url })
      const rude = await session(url)
      for (let round = 0; round < 30; round++) {
        await adapter.set('k', bytes(`${round}`), { tags: ['t'] })
        await rude.query(round % 2 ? 'DISCARD ALL' : 'DEALLOCATE ALL')
        expect(text(await adapter.get('k'))).toBe(`${round}`)
        await rude.query('DEALLOCATE ALL')
        await Promise.all([adapter.delete('other'), adapter.ping()])
      }
      await adapter.deleteByTag('t')
      expect(await adapter.get('k')).toBeUndefined()
    })

    test('hazard 22: an app that prepares by names of its own is not disturbed', async () => {
      const own = await ownSchema(server.url)
      const adapter = own.open({ url })
      const app = await session(url)
      for (let round = 0; round < 20; round++) {
        await Promise.all([adapter.set('k', V), adapter.get('k')])
        const { rows } = await app.query('SELECT $1::int AS n', [round])
        expect(rows).toEqual([{ n: round }])
      }
    })

    test('hazard 23: no session state is left in the connections that all share', async () => {
      const own = await ownSchema(server.url)
      const strange = await session(url)
      const before = (await strange.query(SESSION_STATE)).rows
      const adapter = own.open({ url, timeout: 3_000 })
      for (let round = 0; round < 5; round++) {
        await Promise.all([
          adapter.set('k', V, { tags: ['t'], ttl: 5 }),
          adapter.get('k'),
          adapter.delete('l'),
          adapter.ping(),
          adapter.sweep(),
        ])
        await adapter.deleteByTag('t')
        await adapter.clear()
        expect((await strange.query(SESSION_STATE)).rows).toEqual(before)
      }
      await adapter.close()
      expect((await strange.query(SESSION_STATE)).rows).toEqual(before)
      // Nor is one kept: a transaction that was left open would keep it.
      const { rows } = await (await session(server.url)).query(
        "SELECT count(*)::int AS open FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'",
      )
      expect(rows).toEqual([{ open: 0 }])
    })

    test('a Pool that the user brings, through PgBouncer', async () => {
      const own = await ownSchema(server.url)
      const pool = new pg.Pool({ connectionString: url, max: 3 })
      onTestFinished(() => pool.end())
      const [one, other] = [own.open({ pool }), own.open({ pool, prefix: 'other:' })]
      await Promise.all([
        one.set('k', bytes('1'), { tags: ['t'] }),
        other.set('k', bytes('2'), { tags: ['t'] }),
        pool.query('SELECT 1'),
      ])
      await one.deleteByTag('t')
      expect(await one.get('k')).toBeUndefined()
      expect(text(await other.get('k'))).toBe('2')
    })

    test('hazard 18: calls that nobody awaits keep their order', async () => {
      const seed = newSeed()
      onTestFailed(() => console.error(`seed: ${seed}; set L2_SEED to replay it`))
      const random = randomFrom(seed)
      const own = await ownSchema(server.url)
      const adapter = own.open({ url })
      const model = new Map<string, string>()
      const calls: Promise<unknown>[] = []
      for (let i = 0; i < 3_000; i++) {
        const key = `k${random(20)}`
        const what = random(5)
        if (what < 2) {
          const expected = model.get(key)
          calls.push(adapter.get(key).then(value => expect(text(value)).toBe(expected)))
        } else if (what < 4) {
          model.set(key, `${i}`)
          calls.push(adapter.set(key, bytes(`${i}`), { tags: ['t'] }))
        } else {
          model.delete(key)
          calls.push(adapter.delete(key))
        }
        if (random(100) === 0) await new Promise(resolve => setImmediate(resolve))
      }
      await Promise.all(calls)
    })

    test('a PgBouncer that dies and comes back: calls fail typed, then work', async () => {
      const own = await ownSchema(server.url)
      const adapter = own.open({ url, timeout: 2_000 })
      await adapter.set('k', V, { tags: ['t'] })
      const calls = Array.from({ length: 100 }, (_, i) => settled(adapter.set(`k${i}`, V)))
      await bouncer.kill()
      for (const outcome of [...(await Promise.all(calls)), await settled(adapter.get('k'))])
        if (outcome !== undefined && !(outcome instanceof Uint8Array))
          expect(outcome).toMatchObject({
            code: expect.stringMatching(/^L2_(UNAVAILABLE|TIMEOUT)$/),
          })
      await bouncer.startAgain()
      await expect.poll(() => settled(adapter.get('k')), { timeout: 10_000 }).toEqual(V)
      await adapter.deleteByTag('t')
      expect(await adapter.get('k')).toBeUndefined()
    })

    test('a Postgres behind it that is started again: calls fail typed, then work', async () => {
      const own = await ownSchema(server.url)
      const adapter = own.open({ url, timeout: 3_000, logged: true })
      await adapter.set('k', V, { tags: ['t'] })
      await pause(500)
      await server.stop()
      expect(await settled(adapter.get('k'))).toMatchObject({
        code: expect.stringMatching(/^L2_(UNAVAILABLE|TIMEOUT)$/),
      })
      await server.startAgain()
      await expect.poll(() => settled(adapter.get('k')), { timeout: 20_000 }).toEqual(V)
    })
  })
}
