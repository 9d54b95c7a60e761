import { spawnSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startRedisSentinels } from '../../../scripts/services/redis-sentinel.mjs'
import { ServerHost } from '../../../scripts/services/server-host.mjs'
import { bytes, newPrefix, openAdapter, openProxy, text } from './support/adapters.js'
import { orphansUnder } from './support/look-inside.mjs'
import { ownCluster } from './support/own-cluster.js'
import {
  connectionBy,
  forceFailover,
  killPrimary,
  primaryOf,
  type Sentinels,
} from './support/sentinels.js'

const V = bytes('v')
const KEYS = Array.from({ length: 200 }, (_, i) => `k${i}`)

type Adapter = ReturnType<typeof openAdapter>

const TYPED = /^L2_(UNAVAILABLE|TIMEOUT|READ_ONLY)$/

/** Sets all keys again and again until told to stop. What fails is typed, and in time. */
function keepSetting(adapter: Adapter, timeout: number) {
  let stopped = false
  const failures: string[] = []
  const lane = async (at: number) => {
    for (let i = at; !stopped; i = (i + 10) % KEYS.length) {
      const start = performance.now()
      const error = await adapter
        .set(KEYS[i] ?? '', V, { tags: ['t'] })
        .catch((thrown: unknown) => thrown)
      if (error === undefined) continue
      expect(error).toMatchObject({ code: expect.stringMatching(TYPED) })
      expect(performance.now() - start).toBeLessThan(timeout + 2_000)
      failures.push((error as { code: string }).code)
      await pause(5)
    }
  }
  const lanes = Array.from({ length: 10 }, (_, at) => lane(at))
  return {
    failures,
    async stop() {
      stopped = true
      await Promise.all(lanes)
    },
  }
}

const works = (adapter: Adapter) =>
  expect
    .poll(
      () =>
        adapter.ping().then(
          () => 'works',
          error => error.message,
        ),
      { timeout: 20_000 },
    )
    .toBe('works')

describe('a Redis Cluster with replicas', () => {
  const cluster = ownCluster({ primaries: 3, replicas: 1 })

  test('a replica may be the one that is named: it knows the others', async () => {
    const { nodes, password } = cluster
    const { port = 0 } = nodes[3] ?? {}
    const connection = { cluster: [{ host: '127.0.0.1', port }], password }
    const adapter = openAdapter({ connection })
    await Promise.all(KEYS.map(key => adapter.set(key, V, { tags: ['t'] })))
    await adapter.clear()
    await adapter.ping()
    expect(await adapter.get('k0')).toBeUndefined()
  })

  test.each([
    [
      'forced',
      async () => {
        await cluster.place.clients[3]?.call('CLUSTER', 'FAILOVER')
        await expect
          .poll(() => cluster.place.clients[3]?.info('replication'))
          .toContain('role:master')
      },
    ],
    [
      'of a primary that is killed',
      async () => {
        // The one that has become a primary above.
        await cluster.nodes[3]?.kill()
      },
    ],
  ])('a failover, %s: calls go on at the new primary', { timeout: 60_000 }, async (_, failOver) => {
    const prefix = newPrefix()
    const adapter = cluster.open({ prefix, timeout: 1_000 })
    await Promise.all(KEYS.map(key => adapter.set(key, V, { tags: ['t'] })))
    const setting = keepSetting(adapter, 1_000)
    await pause(100)
    await failOver()
    await works(adapter)
    await pause(100)
    await setting.stop()
    await Promise.all(KEYS.map(key => adapter.set(key, V, { tags: ['t'] })))
    const values = await Promise.all(KEYS.map(key => adapter.get(key)))
    expect(values.map(text)).toEqual(KEYS.map(() => 'v'))
    expect(await orphansUnder(cluster.place.raw, prefix)).toEqual([])
    await adapter.deleteByTag('t')
    await adapter.clear()
  })
})

describe('Sentinel', () => {
  let host: ServerHost
  let redis: Sentinels
  beforeAll(async () => {
    host = await ServerHost.open()
    redis = await startRedisSentinels(host, () => {})
    return () => host.close()
  })

  const connection = () => connectionBy(redis)

  const written = async (raw: Redis) =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await raw.info('commandstats'))?.[1])

  test('who listens to a Sentinel does not hold the process', () => {
    const script = `
      import { RedisAdapter } from '@l2/redis'
      const [connection, prefix] = process.argv.slice(1)
      const adapter = new RedisAdapter({ connection: JSON.parse(connection), prefix })
      await adapter.set('k', new Uint8Array(8), { ttl: 60_000, tags: ['t'] })
    `
    const program = ['--input-type=module', '-e', script]
    const args = [...program, JSON.stringify(connection()), newPrefix()]
    const cwd = new URL('.', import.meta.url)
    const child = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 25_000 })
    expect([child.status, child.stderr]).toEqual([0, ''])
  })

  test('a client of yours, of which a replica is asked for: the primary is used', async () => {
    const client = new Redis({ ...connection(), role: 'slave', lazyConnect: true, keyPrefix: 'a:' })
    onTestFinished(() => client.disconnect())
    const adapter = openAdapter({ client })
    await adapter.set('k', V, { tags: ['t'] })
    expect(text(await adapter.get('k'))).toBe('v')
    await adapter.clear()
    expect(client.status).toBe('wait')
  })

  test('Sentinels that are out of reach are passed over', async () => {
    const silent = await openProxy({ host: '127.0.0.1', port: redis.sentinels[0]?.port ?? 0 })
    silent.stall()
    const dead = await openProxy()
    await dead.close()
    const { sentinels, ...others } = connection()
    const ports = [dead.port, silent.port, sentinels[2]?.port ?? 0]
    const all = { ...others, sentinels: ports.map(port => ({ host: '127.0.0.1', port })) }
    const adapter = openAdapter({ connection: all, timeout: 1_500 })
    await adapter.set('k', V)
    expect(text(await adapter.get('k'))).toBe('v')
    const none = openAdapter({
      connection: { ...all, sentinels: all.sentinels.slice(0, 2) },
      timeout: 600,
    })
    for (const call of [() => none.get('k'), () => none.ping()])
      await expect(call()).rejects.toMatchObject({ code: expect.stringMatching(TYPED) })
  })

  test('a Sentinel that knows no such primary: an error that says so', async () => {
    const adapter = openAdapter({ connection: { ...connection(), name: 'other' }, timeout: 2_000 })
    await expect(adapter.get('k')).rejects.toMatchObject({
      code: 'L2_UNSUITABLE_BACKEND',
      message: expect.stringContaining('entinel'),
    })
  })

  test.each([
    ['forced', forceFailover],
    ['of a primary that is killed', killPrimary],
  ])('a failover, %s: calls go on at the new primary', { timeout: 90_000 }, async (_, failOver) => {
    const prefix = newPrefix()
    const adapter = openAdapter({ connection: connection(), prefix, timeout: 1_000 })
    await Promise.all(KEYS.map(key => adapter.set(key, V, { tags: ['t'] })))
    const before = await primaryOf(redis)
    const setting = keepSetting(adapter, 1_000)
    await pause(100)
    await failOver(redis)
    await expect
      .poll(async () => (await primaryOf(redis)).port, { timeout: 30_000 })
      .not.toBe(before.port)
    await works(adapter)
    await pause(100)
    await setting.stop()
    const writtenBefore = before.raw.status === 'ready' && (await written(before.raw))
    await Promise.all(KEYS.map(key => adapter.set(key, V, { tags: ['t'] })))
    const values = await Promise.all(KEYS.map(key => adapter.get(key)))
    expect(values.map(text)).toEqual(KEYS.map(() => 'v'))
    const { raw } = await primaryOf(redis)
    expect(await orphansUnder(raw, prefix)).toEqual([])
    expect(await raw.dbsize()).toBeGreaterThanOrEqual(KEYS.length)
    await adapter.deleteByTag('t')
    await adapter.clear()
    if (before.raw.status !== 'ready') return
    // The old one does not know yet, and would take writes that are to be lost.
    expect(await before.raw.info('replication')).toContain('role:master')
    expect(await written(before.raw)).toBe(writtenBefore)
    await before.raw.replicaof('127.0.0.1', (await primaryOf(redis)).port)
  })
})
