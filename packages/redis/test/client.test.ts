import { RedisAdapter } from '@l2/redis'
import { Cluster, Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { bytes, newPrefix, openAdapter, openClient, readable, text } from './support/adapters.js'
import { redisUrl } from './support/redis-server.mjs'

const V = new Uint8Array([0x00, 0xff, 0x80, 0x01, 0xfe, 0x31, 0x30])

const { hostname: host, port, password } = new URL(redisUrl())
const place = { host, port: Number(port), password }

test.each([
  ['as it comes', {}],
  ['RESP2', { protocol: 2 as const }],
  ['RESP3', { protocol: 3 as const }],
  ['RESP3 in its own shapes', { protocol: 3 as const, replyMapping: 'resp3' as const }],
  ['autopipelining', { enableAutoPipelining: true }],
  ['numbers as strings', { stringNumbers: true }],
  ['a keyPrefix', { keyPrefix: 'app:' }],
  ['a keyPrefix with braces', { keyPrefix: '{app}:' }],
  ['a keyPrefix that is a pattern', { keyPrefix: 'a*[b]?' }],
  ['another database', { db: 3 }],
  ['a command timeout of its own', { commandTimeout: 1 }],
  ['no offline queue', { enableOfflineQueue: false }],
  ['scripts of its own', { scripts: { own: { lua: 'return 1', numberOfKeys: 0 } } }],
])('a client with %s', async (_, options) => {
  const client = new Redis({ ...place, ...options, lazyConnect: true })
  const prefix = newPrefix()
  for (const way of [{ client }, { connection: { ...place, ...options } }]) {
    const adapter = openAdapter({ ...way, prefix })
    const keys = Array.from({ length: 100 }, (_, i) => `k${i}`)
    await Promise.all(
      keys.map((key, i) => adapter.set(key, V, { ttl: 60_000, tags: [`t${i % 2}`] })),
    )
    expect(await adapter.get('k1')).toEqual(V)
    await adapter.set('large', new Uint8Array(20_000).fill(0xfe), { tags: ['t1'] })
    expect(await adapter.get('large')).toEqual(new Uint8Array(20_000).fill(0xfe))
    await adapter.deleteByTag('t1')
    expect((await readable(adapter, keys)).length).toBe(50)
    await adapter.delete('k0')
    await adapter.set('plain', V)
    await adapter.ping()
    await adapter.sweep()
    await adapter.clear()
    expect(await readable(adapter, [...keys, 'plain'])).toEqual([])
  }
  expect(client.status).toBe('wait')
})

test('what has another database is there, and nowhere else', async () => {
  const prefix = newPrefix()
  const [raw, inPath] = [openClient(), new URL(redisUrl())]
  inPath.pathname = '/5'
  const client = new Redis({ ...place, db: 5, lazyConnect: true })
  const connection = { ...place, db: '5' as never }
  for (const way of [
    { url: inPath.href },
    { url: `${redisUrl()}?db=5` },
    { client },
    { connection },
  ]) {
    const adapter = openAdapter({ ...way, prefix })
    await adapter.set('k', V, { tags: ['t'] })
    await raw.select(5)
    expect((await raw.keys(`${prefix}{*`)).length).toBe(3)
    await raw.select(0)
    // Also on a connection that follows another.
    for (const [, id = ''] of String(await raw.client('LIST')).matchAll(/^id=(\d+) .* db=5 /gm))
      await raw.client('KILL', 'ID', id)
    await expect.poll(() => adapter.get('k').catch(() => undefined)).toEqual(V)
    expect(await raw.keys(`${prefix}{*`)).toEqual([])
    await adapter.clear()
  }
})

test('keyPrefix stands before the prefix, and keeps apart', async () => {
  const prefix = newPrefix()
  const one = openAdapter({ connection: { ...place, keyPrefix: 'one:' }, prefix })
  const other = openAdapter({ connection: { ...place, keyPrefix: 'other:' }, prefix })
  await one.set('k', V, { tags: ['t'] })
  expect(await other.get('k')).toBeUndefined()
  await other.clear()
  expect(await one.get('k')).toEqual(V)
  expect((await openClient().keys(`one:${prefix}{*`)).length).toBe(3)
  await one.clear()
})

test('what is closed: the connection of the adapter, never the client it was told of', async () => {
  const client = openClient()
  await client.ping()
  const one = openAdapter({ client })
  const other = openAdapter({ client })
  await Promise.all([one.set('k', V), other.set('k', V)])
  await one.close()
  await one.close()
  await expect(one.get('k')).rejects.toMatchObject({ code: 'L2_CLOSED' })
  expect(await other.get('k')).toEqual(V)
  expect(await client.ping()).toBe('PONG')
})

test('calls of one turn go to Redis together', async () => {
  const adapter = openAdapter()
  await adapter.ping()
  const client = openClient()
  // Redis counts each time that it reads from a socket.
  const reads = async () =>
    Number(/total_reads_processed:(\d+)/.exec(await client.info('stats'))?.[1] ?? 0)
  const before = await reads()
  const sets = Array.from({ length: 200 }, (_, i) => adapter.set(`k${i}`, bytes(`${i}`)))
  await Promise.all(sets)
  const values = await Promise.all(sets.map((_, i) => adapter.get(`k${i}`)))
  expect(values.map(text)).toEqual(sets.map((_, i) => `${i}`))
  // Others use the same Redis meanwhile, but not as often as each call would.
  expect((await reads()) - before).toBeLessThan(300)
})

test.each([
  [{}, 'one of url, connection and client'],
  [undefined, 'one of url, connection and client'],
  [{ url: 'redis://localhost', connection: {} }, 'one of url, connection and client'],
  [{ url: 'http://user:secret@localhost' }, 'redis://'],
  [{ url: 'localhost:6379' }, 'redis://'],
  [{ url: 'redis://user:se cret@[' }, 'redis://'],
  [{ url: 7 }, 'redis://'],
  [{ url: 'redis://user:secret@localhost/cache' }, 'number of a database'],
  [{ url: 'redis://localhost/1secret' }, 'number of a database'],
  [{ url: 'redis://localhost/-1' }, 'number of a database'],
  [{ url: 'redis://localhost//1' }, 'number of a database'],
  [{ url: 'redis://localhost/0/1' }, 'number of a database'],
  [{ url: 'redis://localhost/?db=cache' }, 'number of a database'],
  [{ url: 'redis://localhost/2147483648' }, 'number of a database'],
  [{ url: 'redis://user:secret%zz@localhost' }, 'url must have user name and password percent-enc'],
  [{ url: 'redis://se%cret:p@localhost' }, 'url must have user name and password percent-encoded'],
  [{ url: 'redis://user:secret@localhost:0' }, 'port must be'],
  [{ url: 'redis://user:secret@localhost:65536' }, 'redis://'],
  [{ connection: { port: 0 } }, 'port must be an integer from 1 to 65535'],
  [{ connection: { port: 'secret' } }, 'port must be'],
  [{ connection: { port: '6379secret' } }, 'port must be'],
  [{ connection: { port: 65_536 } }, 'port must be'],
  [{ connection: { host: 5 } }, 'host must be'],
  [{ connection: { sentinels: [{ host: 'localhost', port: 0 }], name: 'cache' } }, 'port of each'],
  [{ connection: { cluster: [{ host: 'localhost', port: 0 }] } }, 'port of each node'],
  [{ client: new Redis({ port: 'secret' as never, lazyConnect: true }) }, 'port must be'],
  [{ client: new Cluster(['redis://:secret%zz@localhost'], { lazyConnect: true }) }, '%25'],
  [{ connection: { keyPrefix: '\ud800' } }, 'keyPrefix must be well-formed'],
  [{ connection: { keyPrefix: 5 } }, 'keyPrefix must be a string'],
  [{ connection: { keyPrefix: 'x'.repeat(65_537) } }, 'keyPrefix must be at most'],
  [{ connection: { keyPrefix: '\ud800', cluster: [place] } }, 'keyPrefix must be'],
  [{ client: new Redis({ keyPrefix: '\udfff', lazyConnect: true }) }, 'keyPrefix must be'],
  [{ client: new Cluster([place], { keyPrefix: '\ud800', lazyConnect: true }) }, 'keyPrefix must'],
  [{ connection: { db: -1 } }, 'db must be'],
  [{ connection: { db: 1.5 } }, 'db must be'],
  [{ connection: { db: Number.NaN } }, 'db must be'],
  [{ connection: { db: '1secret' } }, 'db must be'],
  [{ connection: { db: [1] } }, 'db must be'],
  [{ connection: { db: 1, cluster: [place] } }, 'db must be 0'],
  [{ client: new Redis('redis://localhost/cache', { lazyConnect: true }) }, 'db must be'],
  [{ client: new Redis({ db: 1.5, lazyConnect: true }) }, 'db must be'],
  [
    { client: new Cluster([place], { lazyConnect: true, redisOptions: { db: 1 } as never }) },
    'db must be 0',
  ],
  [{ connection: 'redis://localhost' }, 'connection must be an object'],
  [{ client: {} }, 'client of ioredis'],
  [{ client: null }, 'client of ioredis'],
  [{ client: { options: {}, status: 'ready' } }, 'client of ioredis'],
  [{ client: { options: null, status: 'ready', sendCommand() {} } }, 'client of ioredis'],
  // As those of node-redis are.
  [
    { client: { options: { url: 'redis://user:secret@cache' }, isOpen: false, sendCommand() {} } },
    'client of ioredis, Redis or Cluster: instead of one of another library say `url`',
  ],
  [
    { client: { isCluster: true, options: {}, status: 'wait', sendCommand() {} } },
    'Cluster of ioredis',
  ],
  [{ client: new Cluster([place], { lazyConnect: true, useSRVRecords: true }) }, 'SRV'],
  [{ connection: { sentinels: [], name: 'cache' } }, 'sentinels must be'],
  [{ connection: { sentinels: [{ host: 'localhost' }] } }, 'sentinels must be'],
  [{ connection: { cluster: [] } }, 'cluster must be a list'],
  [{ connection: { cluster: 'localhost' } }, 'cluster must be a list'],
  [{ connection: { cluster: ['redis://user:secret@localhost'] } }, '{ host, port }'],
  [{ connection: { cluster: [{ host: 'localhost', port: '1' }] } }, '{ host, port }'],
])('options %#: refused, without showing what they are', (options, message) => {
  const make = () => new RedisAdapter(options as never)
  expect(make).toThrow(TypeError)
  expect(make).toThrow(message)
  expect(make).not.toThrow(/secret|se cret/)
})
