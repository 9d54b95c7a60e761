import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { TcpProxy } from '../../core/test/support/tcp-proxy.mjs'
import { ownBouncer } from './support/own-bouncer.js'
import { ownPostgres } from './support/own-postgres.js'
import { ownSchema } from './support/own-schema.js'
import { entryTable } from './support/tables.js'
import { bytes, text } from './support/text.js'

/** Of adapters whose calls are to be given up, in ms. What has to be done is tried again. */
const SHORT = 500

const settled = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    value => value,
    (error: unknown) => error,
  )

/** Calls again and again until it is acknowledged, and then not once more. */
async function acknowledged(call: () => Promise<unknown>): Promise<void> {
  while ((await settled(call())) !== undefined) await pause(5)
}

async function proxyTo(port: number): Promise<TcpProxy> {
  const proxy = await new TcpProxy({ host: '127.0.0.1', port }).listen()
  onTestFinished(() => proxy.close())
  return proxy
}

function at(url: string, port: number): string {
  const other = new URL(url)
  other.port = String(port)
  return other.href
}

const behind = await ownBouncer('default_pool_size = 10')
if (typeof behind === 'string')
  console.warn(`pgbouncer: none to be had here, so these are NOT run through it: ${behind}`)

describe.each(typeof behind === 'string' ? ['direct'] : ['direct', 'through PgBouncer'])(
  '%s',
  way => {
    const direct = ownPostgres()
    const server = () => (way === 'direct' || typeof behind === 'string' ? direct : behind.server)
    const entrance = () =>
      way === 'direct' || typeof behind === 'string' ? direct : behind.bouncer

    test.each([
      ['its deadline', undefined],
      ['its signal', 30],
    ])(
      'a set given up by %s, which the network held back, never undoes a younger call',
      async (_, ms) => {
        const own = await ownSchema(server().url)
        const proxy = await proxyTo(entrance().port)
        const adapter = own.open({ url: at(entrance().url, proxy.port), timeout: SHORT })
        const beside = own.open()
        for (const tags of [[], ['t']]) {
          await acknowledged(() => adapter.set('set', bytes('before'), { tags }))
          await acknowledged(() => adapter.set('deleted', bytes('before'), { tags }))
          await acknowledged(() => adapter.set('tagged', bytes('before'), { tags: ['u'] }))
          proxy.stall()
          const signal = ms === undefined ? undefined : AbortSignal.timeout(ms)
          const given = [
            adapter.set('set', bytes('given up'), { tags, signal }),
            adapter.set('deleted', bytes('given up'), { tags, signal }),
            adapter.set('new', bytes('given up'), { tags, signal }),
            adapter.set('tagged', bytes('given up'), { tags: ['u'], signal }),
          ]
          for (const one of await Promise.allSettled(given)) expect(one.status).toBe('rejected')
          // New connections get through, while the network still holds what was sent on the old one.
          proxy.open()
          const young: (() => Promise<void>)[] = [
            () => adapter.set('set', bytes('younger'), { tags }),
            () => adapter.delete('deleted'),
            () => adapter.delete('new'),
            () => adapter.deleteByTag('u'),
          ]
          for (const call of young) await acknowledged(call)
          proxy.resume()
          await pause(150)
          expect(text(await beside.get('set'))).toBe('younger')
          for (const key of ['deleted', 'new', 'tagged'])
            expect([key, text(await beside.get(key))]).toEqual([key, undefined])
        }
      },
    )

    test.each([
      ['its deadline', undefined],
      ['its signal', 50],
    ])(
      'a set given up by %s, which waits for a lock, never undoes a younger call',
      async (_, ms) => {
        const own = await ownSchema(server().url)
        const adapter = own.open({ url: entrance().url, timeout: SHORT })
        const beside = own.open()
        for (const tags of [[], ['t']]) {
          await beside.set('set', bytes('before'), { tags })
          await beside.set('deleted', bytes('before'), { tags })
          const letGo = await own.holdEntries()
          const signal = ms === undefined ? undefined : AbortSignal.timeout(ms)
          const given = ['set', 'deleted'].map(key =>
            adapter.set(key, bytes('given up'), { tags, signal }),
          )
          for (const one of await Promise.allSettled(given)) expect(one.status).toBe('rejected')
          // Younger ones are given up too while the lock is held, or wait until it is not.
          const young = [
            acknowledged(() => adapter.set('set', bytes('younger'), { tags })),
            acknowledged(() => adapter.delete('deleted')),
          ]
          await pause(50)
          await letGo()
          await Promise.all(young)
          for (let look = 0; look < 10; look++) {
            expect(text(await beside.get('set'))).toBe('younger')
            expect(await beside.get('deleted')).toBeUndefined()
            await pause(20)
          }
        }
      },
    )

    test('a set given up while it waits for a lock is not there after deleteByTag or clear', async () => {
      const own = await ownSchema(server().url)
      const adapter = own.open({ url: entrance().url, timeout: SHORT })
      const beside = own.open()
      for (const work of [() => adapter.deleteByTag('t'), () => adapter.clear()]) {
        for (const key of ['k', 'l']) await beside.set(key, bytes('before'), { tags: ['u'] })
        const letGo = await own.holdEntries()
        await beside.set('unheld', bytes('before'), { tags: ['t'] })
        const given = ['k', 'l'].map(key => adapter.set(key, bytes('given up'), { tags: ['t'] }))
        for (const one of await Promise.allSettled(given)) expect(one.status).toBe('rejected')
        // Nothing has the tag but the entry that nobody holds, so that this need not wait for locks.
        const removing = acknowledged(work)
        await Promise.race([removing, pause(200)])
        await letGo()
        await removing
        await pause(50)
        expect(text(await beside.get('unheld'))).toBeUndefined()
        for (const key of ['k', 'l']) expect(text(await beside.get(key))).not.toBe('given up')
      }
    })

    test('a first set of a key, given up while another makes the same row, stays behind', async () => {
      const own = await ownSchema(server().url)
      const adapter = own.open({ url: entrance().url, timeout: SHORT })
      const beside = own.open()
      const entries = entryTable(own.schema)
      const holder = await own.session()
      for (let round = 0; round < 5; round++) {
        const key = `k${round}`
        // As it will be made by somebody who then thinks better of it: all who wait go on at once.
        await beside.set(key, bytes('somebody'))
        await holder.query(
          `BEGIN; CREATE TEMP TABLE copy ON COMMIT DROP AS SELECT * FROM ${entries}`,
        )
        await beside.delete(key)
        await holder.query(`INSERT INTO ${entries} SELECT * FROM copy WHERE h NOT IN
          (SELECT h FROM ${entries})`)
        const given = adapter.set(key, bytes('given up'), { tags: ['t'] })
        expect(await settled(given)).toMatchObject({ code: 'L2_TIMEOUT' })
        const younger = acknowledged(() => adapter.set(key, bytes('younger'), { tags: ['u'] }))
        await pause(100)
        await holder.query('ROLLBACK')
        await younger
        await pause(50)
        expect(text(await beside.get(key))).toBe('younger')
      }
    })

    test('a younger set that another acknowledged stays, when the lock is let go', async () => {
      const own = await ownSchema(server().url)
      const adapter = own.open({ url: entrance().url, timeout: SHORT })
      const beside = own.open()
      await beside.set('k', bytes('before'), { tags: ['t'] })
      const letGo = await own.holdEntries()
      expect(await settled(adapter.set('k', bytes('given up'), { tags: ['t'] }))).toMatchObject({
        code: 'L2_TIMEOUT',
      })
      // The given-up one may wait there still, and then it is before the other.
      const younger = beside.set('k', bytes('younger'), { tags: ['t'] })
      await expect.poll(async () => (await own.waiting()).length).toBeGreaterThan(0)
      await pause(50)
      await letGo()
      await younger
      await pause(100)
      expect(text(await beside.get('k'))).toBe('younger')
    })

    test('calls that are given up settle in time, and those that follow work', async () => {
      const own = await ownSchema(server().url)
      const proxy = await proxyTo(entrance().port)
      const adapter = own.open({ url: at(entrance().url, proxy.port), timeout: SHORT })
      const beside = own.open()
      const keys = Array.from({ length: 200 }, (_, i) => `k${i}`)
      await Promise.all(keys.map(key => beside.set(key, bytes(key), { tags: ['t'] })))
      await acknowledged(() => adapter.ping())
      for (let round = 0; round < 3; round++) {
        proxy.stall()
        const start = performance.now()
        const calls = keys.flatMap(key => [
          settled(adapter.get(key)),
          settled(adapter.set(key, bytes(key), { tags: ['t'] })),
        ])
        const bulk = [adapter.deleteByTag('t'), adapter.ping(), adapter.sweep()].map(settled)
        for (const error of await Promise.all([...calls, ...bulk]))
          expect(error).toMatchObject({ code: expect.stringMatching(/^L2_(TIMEOUT|UNAVAILABLE)$/) })
        // Generous: that they settle, and not after several deadlines one after the other.
        expect(performance.now() - start).toBeLessThan(SHORT + 2_000)
        proxy.resume()
        await acknowledged(() => adapter.ping())
        await acknowledged(() => adapter.set('again', bytes(`${round}`)))
        expect(text(await beside.get('again'))).toBe(`${round}`)
      }
    })

    test('an abort fails no other call of its batch', async () => {
      const own = await ownSchema(server().url)
      const adapter = own.open({ url: entrance().url })
      await adapter.ping()
      for (let round = 0; round < 30; round++) {
        const abort = new AbortController()
        const aborted = [
          adapter.set('aborted', bytes('1'), { signal: abort.signal }),
          adapter.get('aborted', { signal: abort.signal }),
        ]
        const others = Array.from({ length: 20 }, (_, i) =>
          adapter.set(`k${i}`, bytes(`${round}`), { tags: ['t'] }),
        )
        if (round % 2) await pause(0)
        abort.abort()
        for (const one of await Promise.allSettled(aborted))
          if (one.status === 'rejected') expect(one.reason).toBe(abort.signal.reason)
        await Promise.all(others)
        expect(text(await adapter.get('k19'))).toBe(`${round}`)
      }
    })
  },
)

describe('a session that rounds numbers', () => {
  const server = ownPostgres('extra_float_digits=-15')

  test('a set that the network held back never undoes a younger call', async () => {
    const own = await ownSchema(server.url)
    const proxy = await proxyTo(server.port)
    const adapter = own.open({ url: at(server.url, proxy.port), timeout: SHORT })
    const beside = own.open()
    await acknowledged(() => adapter.set('k', bytes('before')))
    proxy.stall()
    expect(await settled(adapter.set('k', bytes('given up')))).toMatchObject({
      code: 'L2_TIMEOUT',
    })
    proxy.open()
    await acknowledged(() => adapter.set('k', bytes('younger')))
    proxy.resume()
    await pause(150)
    expect(text(await beside.get('k'))).toBe('younger')
  })
})
