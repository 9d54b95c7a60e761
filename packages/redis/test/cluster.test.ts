import { inspect } from 'node:util'
import { Cluster, type ClusterOptions } from 'ioredis'
import { expect, test } from 'vitest'
import { bytes, newPrefix, openAdapter, openProxy, readable, text } from './support/adapters.js'
import { allUnder, orphansUnder } from './support/look-inside.mjs'
import { ownCluster } from './support/own-cluster.js'
import { redisCluster } from './support/redis-places.mjs'

type Extended = NonNullable<ConstructorParameters<typeof Cluster>[1]>

const V = bytes('v')
const KEYS = Array.from({ length: 300 }, (_, i) => `k${i}`)

/** As README.md has them, without those for a cluster. */
const RIGHTS =
  '+client|info +client|kill +get +mget +set +unlink +scan +eval +evalsha +pttl +exists +getrange ' +
  '+setrange +rename +persist +pexpire +zadd +zcard +zrem +zrandmember +zrangebylex +zrevrangebylex'

const cluster = ownCluster()

test.each<[string, ClusterOptions]>([
  ['as it comes', {}],
  ['RESP2', { redisOptions: { protocol: 2 } }],
  ['RESP3', { redisOptions: { protocol: 3 } }],
  ['RESP3 in its own shapes', { redisOptions: { replyMapping: 'resp3' } }],
  ['autopipelining', { enableAutoPipelining: true }],
  ['a keyPrefix', { keyPrefix: 'app:' }],
  ['a keyPrefix with braces, for each node', { redisOptions: { keyPrefix: '{app}:' } }],
  ['reads from replicas', { scaleReads: 'all' }],
  ['an offline queue, resends and a database', { redisOptions: { db: 3, commandTimeout: 1 } }],
])('a Cluster with %s', async (_, options) => {
  const { nodes, password, place } = cluster
  const { port = 0 } = nodes[1] ?? {}
  const prefix = newPrefix()
  const make = (node: string | { host: string; port: number }, all: ClusterOptions) =>
    new Cluster([node], { ...all, lazyConnect: true } as Extended)
  const client = make(`redis://:${password}@127.0.0.1:${port}`, options)
  const redisOptions = { ...options.redisOptions, password }
  const known = make({ host: '127.0.0.1', port }, { ...options, redisOptions })
  for (const way of [{ client }, { client: known }]) {
    const adapter = openAdapter({ ...way, prefix })
    const tagged = KEYS.map((key, i) => adapter.set(key, V, { ttl: 60_000, tags: [`t${i % 2}`] }))
    await Promise.all(tagged)
    await adapter.set('large', new Uint8Array(20_000).fill(0xfe), { tags: ['t1'] })
    expect(await adapter.get('large')).toEqual(new Uint8Array(20_000).fill(0xfe))
    await adapter.deleteByTag('t1')
    expect((await readable(adapter, KEYS)).length).toBe(150)
    await adapter.delete('k0')
    await adapter.set('plain', V)
    await adapter.ping()
    await adapter.sweep()
    // Something that is there on every node.
    await Promise.all(KEYS.map(key => adapter.set(key, V)))
    await adapter.clear()
    expect(await readable(adapter, [...KEYS, 'plain'])).toEqual([])
    const { keyPrefix = '' } = { ...options, ...options.redisOptions }
    expect(await allUnder(place.raw, keyPrefix + prefix)).toEqual([])
  }
  expect([client.status, known.status]).toEqual(['wait', 'wait'])
})

test('a user with the documented rights can do everything, and needs those for a cluster', async () => {
  const { nodes, place } = cluster
  const prefix = newPrefix()
  const asUser = async (...rights: string[]) => {
    const all = ['cache', 'reset', 'on', '>secret', `~${prefix}*`, ...RIGHTS.split(' '), ...rights]
    for (const client of place.clients) await client.call('ACL', 'SETUSER', ...all)
    const seeds = nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
    const connection = { cluster: seeds, username: 'cache', password: 'secret' }
    return openAdapter({ connection, prefix })
  }
  const adapter = await asUser('+asking', '+cluster|slots')
  await Promise.all(KEYS.map(key => adapter.set(key, V, { tags: ['t'] })))
  await adapter.set('large', new Uint8Array(20_000), { ttl: 60_000, tags: ['t'] })
  await adapter.deleteByTag('t')
  await adapter.sweep()
  await adapter.clear()
  await adapter.ping()
  const lacking = await asUser('+asking')
  await expect(lacking.get('k')).rejects.toMatchObject({
    code: 'L2_UNSUITABLE_BACKEND',
    message: expect.stringContaining('+cluster|slots'),
  })
})

test('a node that is out of reach is passed over for others that were named', async () => {
  const { nodes, password } = cluster
  const dead = await openProxy()
  await dead.close()
  const silent = await openProxy({ host: '127.0.0.1', port: nodes[0]?.port ?? 0 })
  silent.stall()
  const ports = [dead.port, silent.port, nodes[2]?.port ?? 0]
  const connection = { cluster: ports.map(port => ({ host: '127.0.0.1', port })), password }
  const adapter = openAdapter({ connection, timeout: 1_000 })
  await Promise.all(KEYS.map(key => adapter.set(key, V)))
  expect((await readable(adapter, KEYS)).length).toBe(KEYS.length)
})

test('where no node answers: an error in time, which shows no secret', async () => {
  const proxies = await Promise.all([openProxy(), openProxy()])
  const cut = proxies.map(({ port }) => ({ host: '127.0.0.1', port }))
  for (const [state, code] of [
    ['cut', 'L2_UNAVAILABLE'],
    ['stall', 'L2_TIMEOUT'],
  ] as const) {
    for (const proxy of proxies) proxy[state]()
    const connection = { cluster: cut, password: 'canary' }
    const adapter = openAdapter({ connection, timeout: 300 })
    const calls = [adapter.get('k'), adapter.set('k', V), adapter.clear(), adapter.ping()]
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ reason: { code, retryable: true } })
      expect(inspect(outcome, { depth: 9 })).not.toContain('canary')
    }
  }
})

test('calls of one key keep their order, also where a read is sent on to another node', async () => {
  const adapter = cluster.open()
  await adapter.set('k', bytes('0'))
  for (let round = 1; round <= 20; round++) {
    const calls = [
      adapter.get('k'),
      adapter.get('k'),
      adapter.set('k', bytes(`${round}`), { tags: ['t'] }),
      adapter.get('k'),
      adapter.delete('k'),
      adapter.get('k'),
      adapter.set('k', bytes(`${round}`)),
    ]
    const seen = (await Promise.all(calls)).map(one => (one === undefined ? one : text(one)))
    const before = `${round - 1}`
    expect(seen).toEqual([before, before, undefined, `${round}`, undefined, undefined, undefined])
  }
})

test('a node that hangs: calls to its slots time out, the others go on, and it all comes back', async () => {
  const { nodes, password } = cluster
  const addresses = nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
  const proxies = await Promise.all(addresses.map(openProxy))
  const behind = redisCluster({ nodes, password })
  for (const client of [behind.raw, ...behind.clients]) client.disconnect()
  const prefix = newPrefix()
  const adapter = openAdapter({
    connection: behind.connection(proxies.map(({ port }) => port)),
    prefix,
    timeout: 500,
  })
  await Promise.all(KEYS.map(key => adapter.set(key, V, { tags: ['t'] })))
  proxies[0]?.stall()
  const outcomes = await Promise.allSettled(KEYS.map(key => adapter.set(key, bytes('new'))))
  const failed = outcomes.filter(({ status }) => status === 'rejected')
  expect(failed.length).toBeGreaterThan(50)
  expect(failed.length).toBeLessThan(150)
  for (const one of failed) expect(one).toMatchObject({ reason: { retryable: true } })
  await expect(adapter.ping()).rejects.toMatchObject({ retryable: true })
  await expect(adapter.deleteByTag('t')).rejects.toMatchObject({ retryable: true })
  // New connections get through, while the network still holds what was sent on the old one.
  proxies[0]?.open()
  await expect
    .poll(
      () =>
        adapter.ping().then(
          () => 'pong',
          () => 'failed',
        ),
      { timeout: 10_000 },
    )
    .toBe('pong')
  await Promise.all(KEYS.map(key => adapter.set(key, bytes('younger'), { tags: ['t'] })))
  proxies[0]?.resume()
  await new Promise(resolve => setTimeout(resolve, 100))
  const values = await Promise.all(KEYS.map(key => adapter.get(key)))
  expect(values.filter(value => text(value) !== 'younger')).toEqual([])
  expect(await orphansUnder(cluster.place.raw, prefix)).toEqual([])
})

test('a node that is killed: calls to its slots fail, the others go on, and it all comes back', async () => {
  const { nodes } = cluster
  const adapter = cluster.open({ timeout: 2_000 })
  await Promise.all(KEYS.map(key => adapter.set(key, V)))
  await nodes[2]?.kill()
  for (let round = 0; round < 3; round++) {
    const outcomes = await Promise.allSettled(KEYS.map(key => adapter.get(key)))
    const failed = outcomes.filter(({ status }) => status === 'rejected')
    expect(failed.length).toBeGreaterThan(50)
    expect(failed.length).toBeLessThan(150)
    for (const one of failed)
      expect(one).toMatchObject({ reason: { code: 'L2_UNAVAILABLE', retryable: true } })
    for (const call of [
      () => adapter.ping(),
      () => adapter.clear(),
      () => adapter.deleteByTag('t'),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'L2_UNAVAILABLE' })
  }
  await nodes[2]?.startAgain()
  await expect
    .poll(
      () =>
        adapter.ping().then(
          () => 'pong',
          error => error.code,
        ),
      { timeout: 15_000 },
    )
    .toBe('pong')
  await Promise.all(KEYS.map(key => adapter.set(key, V, { tags: ['t'] })))
  expect((await readable(adapter, KEYS)).length).toBe(KEYS.length)
  await adapter.deleteByTag('t')
  expect(await readable(adapter, KEYS)).toEqual([])
})
