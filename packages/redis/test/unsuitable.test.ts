import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from '../../../scripts/services/free-port.mjs'
import { startRedisSentinels } from '../../../scripts/services/redis-sentinel.mjs'
import { ServerHost } from '../../../scripts/services/server-host.mjs'
import {
  bytes,
  newPrefix,
  type Options,
  openAdapter,
  openClient,
  text,
} from './support/adapters.js'
import { orphansUnder } from './support/look-inside.mjs'
import { ownServer } from './support/own-server.js'
import { redisUrl } from './support/redis-server.mjs'

const V = bytes('v')

type Adapter = ReturnType<typeof openAdapter>

const CALLS: readonly [string, (adapter: Adapter) => Promise<unknown>][] = [
  ['get', adapter => adapter.get('k')],
  ['set', adapter => adapter.set('k', V, { tags: ['t'] })],
  ['delete', adapter => adapter.delete('k')],
  ['deleteByTag', adapter => adapter.deleteByTag('t')],
  ['clear', adapter => adapter.clear()],
  ['ping', adapter => adapter.ping()],
]

/** Each call fails alike, as the first of an adapter and later. */
async function expectFailures(way: Options, failure: object): Promise<void> {
  for (const [name, call] of CALLS) {
    const adapter = openAdapter(way)
    for (const time of ['first', 'second'])
      await expect(call(adapter), `${name}, ${time}`).rejects.toMatchObject(failure)
  }
}

const failing = (code: string, message: string, retryable = false) => ({
  code,
  retryable,
  message: expect.stringContaining(message),
})

test('a replica', async () => {
  const primary = await ownServer()
  const { hostname, port, password } = new URL(primary.url)
  const replica = await ownServer(`replicaof ${hostname} ${port}`, `masterauth ${password}`)
  await expectFailures({ url: replica.url }, failing('L2_READ_ONLY', 'connect to its primary'))
})

test('a primary that becomes a replica while it is in use', async () => {
  const { url } = await ownServer()
  const [adapter, other, raw] = [openAdapter({ url }), openAdapter({ url }), openClient(url)]
  await adapter.set('k', V, { tags: ['t'] })
  await other.ping()
  await raw.replicaof('127.0.0.1', 1)
  // Also where there is nothing to remove, as far as this Redis knows.
  await expect(other.deleteByTag('absent')).rejects.toMatchObject(
    failing('L2_READ_ONLY', 'primary'),
  )
  // The first write notices; from then on reads are refused as well.
  for (const [name, call] of CALLS.toReversed())
    await expect(call(adapter), name).rejects.toMatchObject(failing('L2_READ_ONLY', 'primary'))
  await raw.replicaof('NO', 'ONE')
  await adapter.set('k', V, { tags: ['t'] })
  expect(text(await adapter.get('k'))).toBe('v')
})

test('a node of a cluster', async () => {
  // By default 10 000 above its own, which there may not be.
  const { url } = await ownServer('cluster-enabled yes', `cluster-port ${await freePort()}`)
  await expectFailures({ url }, failing('L2_UNSUITABLE_BACKEND', 'cluster: [{ host, port }]'))
})

test('a Redis that is no node of a cluster', async () => {
  const { port, password } = await ownServer()
  const connection = { cluster: [{ host: '127.0.0.1', port }], password }
  await expectFailures({ connection }, failing('L2_UNSUITABLE_BACKEND', 'by `url`'))
})

test.each([
  ['HELLO', 'Redis 6.2 or later'],
  ['EVAL', 'with EVAL'],
  ['EVALSHA', 'with EVAL'],
  ['UNLINK', 'Redis 6.2 or later'],
])('a Redis without %s', async (command, message) => {
  const { url } = await ownServer(`rename-command ${command} ""`)
  await expectFailures({ url }, failing('L2_UNSUITABLE_BACKEND', message))
})

test('a Redis 6.0 knows HELLO, but not without arguments', async () => {
  // Another command that wants some stands in for it, for whomever.
  const renamed = ['rename-command HELLO ""', 'rename-command DEL HELLO']
  const { url } = await ownServer('requirepass ""', ...renamed)
  await expectFailures({ url }, failing('L2_UNSUITABLE_BACKEND', 'Redis 6.2 or later'))
})

test('a Redis whose disk fails takes no writes; what it holds can be read', async () => {
  const { url } = await ownServer('save 3600 1')
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ url, prefix }), openClient(url)]
  await adapter.set('k', V, { tags: ['t'] })
  const [, folder = ''] = (await raw.config('GET', 'dir')) as string[]
  mkdirSync(join(folder, 'dump.rdb'))
  await raw.bgsave()
  await expect.poll(() => raw.info('persistence')).toContain('rdb_last_bgsave_status:err')
  // A connection from before, and one that begins now.
  for (const each of [adapter, openAdapter({ url, prefix })])
    for (const [name, call] of CALLS) {
      if (name === 'get') await each.get('k')
      else await expect(call(each), name).rejects.toMatchObject(failing('L2_READ_ONLY', 'its disk'))
    }
  expect(text(await adapter.get('k'))).toBe('v')
})

test('a database that Redis does not have: nothing is done in another one', async () => {
  const { url } = await ownServer('databases 2')
  const raw = openClient(url)
  await expectFailures({ url: `${url}/2` }, failing('L2_UNSUITABLE_BACKEND', 'raise `databases`'))
  await raw.select(1)
  expect(await raw.dbsize()).toBe(0)
  await raw.select(0)
  expect(await raw.dbsize()).toBe(0)
})

const RIGHTS =
  '+client|info +client|kill +get +mget +set +unlink +scan +eval +evalsha +pttl +exists ' +
  '+getrange +setrange +rename +persist +pexpire +zadd +zcard +zrem +zrandmember +zrangebylex +zrevrangebylex'

test('a user with the documented rights can do everything, and each of them is needed', async () => {
  const server = await ownServer()
  const raw = openClient(server.url)
  const prefix = newPrefix()
  const url = new URL(server.url)
  url.username = 'cache'
  url.password = encodeURIComponent('pass word')
  const asUser = async (rights: string) => {
    await raw.call(
      'ACL',
      'SETUSER',
      'cache',
      'reset',
      'on',
      '>pass word',
      `~${prefix}*`,
      ...rights.split(' '),
    )
    return openAdapter({ url: url.href, prefix })
  }
  await useAll(await asUser(RIGHTS))
  const lacking = failing('L2_UNSUITABLE_BACKEND', 'lacks a right')
  // Without CLIENT a new connection can't end the one before; ZRANDMEMBER is for the background.
  const optional = ['+client|info', '+client|kill', '+zrandmember']
  for (const right of RIGHTS.split(' ')) {
    // Scripts are asked for the right to EVAL only where Redis does not know them.
    await raw.script('FLUSH')
    const others = RIGHTS.split(' ').filter(one => one !== right)
    const adapter = await asUser(others.join(' '))
    const error = await useAll(adapter).catch((thrown: unknown) => thrown)
    expect([right, error]).toEqual([
      right,
      optional.includes(right) ? undefined : expect.objectContaining(lacking),
    ])
  }
  // Another database.
  await asUser(RIGHTS)
  const elsewhere = new URL(url)
  elsewhere.pathname = '/1'
  const options = { url: elsewhere.href, prefix }
  await raw.flushall()
  const select = failing('L2_UNSUITABLE_BACKEND', '+select')
  for (const [name, call] of CALLS)
    await expect(call(openAdapter(options)), name).rejects.toMatchObject(select)
  expect(await raw.dbsize()).toBe(0)
  await asUser(`${RIGHTS} +select`)
  await useAll(openAdapter(options))
  // Not its keys.
  await asUser(RIGHTS)
  await expect(openAdapter({ url: url.href }).ping()).rejects.toMatchObject(lacking)
})

/** Calls everything, with all that makes a difference in Redis. */
async function useAll(adapter: Adapter): Promise<void> {
  for (const ttl of [0, 60_000, 0]) await adapter.set('k', V, { ttl, tags: ['t', `u${ttl}`] })
  await adapter.set('k', new Uint8Array(20_000), { tags: ['t'] })
  await adapter.set('k', new Uint8Array(20_000), { ttl: 60_000, tags: ['t'] })
  await adapter.set('plain', V)
  expect(text(await adapter.get('plain'))).toBe('v')
  await adapter.sweep()
  await adapter.deleteByTag('t')
  expect(await adapter.get('k')).toBeUndefined()
  await adapter.set('k', V, { tags: ['t'] })
  await adapter.delete('k')
  await adapter.ping()
  await adapter.clear()
}

test('nothing is asked of Redis that 6.2 does not have', async () => {
  const { url } = await ownServer()
  const [adapter, raw] = [openAdapter({ url, sweepInterval: 50 }), openClient(url)]
  await useAll(adapter)
  const called = async () =>
    [...(await raw.info('commandstats')).matchAll(/cmdstat_([^:]+):/g)].map(([, name = '']) => name)
  // Of a sweep in the background.
  await expect.poll(called).toContain('zrandmember')
  const used = await called()
  const newer = []
  for (const name of used) {
    const [, docs = []] = (await raw.call('COMMAND', 'DOCS', name)) as [string, string[]]
    const since = docs[docs.indexOf('since') + 1] ?? ''
    if (since.localeCompare('6.2.999', 'en', { numeric: true }) > 0) newer.push(name)
  }
  // Which ioredis tries, and does without.
  expect(newer.filter(name => name !== 'client|setinfo')).toEqual([])
})

test('credentials that are refused: an error that can be told from others, and shows none of them', async () => {
  const server = await ownServer()
  const refused = failing('L2_UNAVAILABLE', 'check user name and password')
  for (const [user, password] of [
    ['', 'wrong-secret'],
    ['nobody', 'wrong-secret'],
    ['', ''],
  ] as const) {
    const url = new URL(server.url)
    url.username = user
    url.password = password
    const adapter = openAdapter({ url: url.href })
    for (const protocol of [2, 3] as const) {
      const { hostname: host, port } = url
      const connection = {
        host,
        port: Number(port),
        username: user || undefined,
        password,
        protocol,
      }
      const other = openAdapter({ connection })
      for (const each of [adapter, other])
        for (const [name, call] of CALLS) {
          const error = await call(each).catch((thrown: unknown) => thrown)
          expect(error, name).toMatchObject(refused)
          expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('wrong-secret')
        }
    }
  }
})

test('a password that has changed is used by the next connection of a client of yours', async () => {
  const server = await ownServer()
  const client = openClient(server.url)
  const adapter = openAdapter({ client })
  await adapter.set('k', V)
  await client.config('SET', 'requirepass', 'new password')
  client.options.password = 'new password'
  await client.call('CLIENT', 'KILL', 'TYPE', 'normal')
  await expect
    .poll(() => adapter.get('k').then(text, () => undefined), { timeout: 5_000 })
    .toBe('v')
})

/** Listens for one test. */
async function fakeServer(onData: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {}).on('data', () => onData(socket))
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

test('a server that speaks something else', async () => {
  const port = await fakeServer(socket => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
  const noRedis = failing('L2_UNSUITABLE_BACKEND', 'it wants TLS (a URL that begins with rediss:')
  await expectFailures({ url: `redis://:secret@127.0.0.1:${port}` }, noRedis)
  const noTls = failing('L2_UNSUITABLE_BACKEND', 'a URL that begins with redis: or')
  await expectFailures({ url: `rediss://:secret@127.0.0.1:${port}` }, noTls)
})

test('a server that cuts new connections: nobody knows what it has done', async () => {
  const port = await fakeServer(socket => socket.resetAndDestroy())
  const ended = failing('L2_UNAVAILABLE', 'may have taken effect', true)
  await expectFailures({ url: `redis://:secret@127.0.0.1:${port}` }, ended)
})

test('TLS where there is none: the error of who waits says so', async () => {
  const port = await fakeServer(() => {})
  const place = `:secret@127.0.0.1:${port}`
  for (const [url, hint] of [
    [`rediss://${place}`, 'within 285 ms. If this port is one without TLS'],
    [`redis://${place}`, 'within 285 ms.'],
  ] as const)
    await expectFailures({ url, timeout: 300 }, failing('L2_TIMEOUT', hint, true))
})

test('a name that the Sentinels do not know', async () => {
  const host = await ServerHost.open()
  onTestFinished(() => host.close())
  const { sentinels, password } = await startRedisSentinels(host, () => {}, 60_000)
  const places = sentinels.map(({ port }) => ({ host: '127.0.0.1', port }))
  for (const updateSentinels of [true, false]) {
    const connection = {
      sentinels: places,
      name: 'absent',
      sentinelPassword: password,
      password,
      updateSentinels,
    }
    await expectFailures({ connection }, failing('L2_UNSUITABLE_BACKEND', '`name` must be'))
  }
})

test('records of another version are refused, by reads and by writes', async () => {
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ prefix }), openClient(redisUrl())]
  await adapter.set('k', V, { tags: ['t'] })
  const names = (await raw.keys(`${prefix}*`)).sort()
  const of = (end: RegExp) => names.find(name => end.test(name)) ?? ''
  const mismatch = failing('L2_SCHEMA_MISMATCH', 'one version')
  await raw.set(of(/\}f$/), '2 something that a later version keeps here')
  for (const [name, call] of CALLS)
    if (['get', 'set', 'deleteByTag'].includes(name))
      await expect(call(adapter), name).rejects.toMatchObject(mismatch)
  await expect(adapter.sweep()).rejects.toMatchObject(mismatch)
  await raw.set(of(/\}kk$/), '2something')
  await expect(adapter.get('k')).rejects.toMatchObject(mismatch)
  await adapter.clear()
  await adapter.set('k', V, { tags: ['t'] })
  expect(text(await adapter.get('k'))).toBe('v')
})

test('what others have put under our names is named, or a miss', async () => {
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ prefix }), openClient()]
  await adapter.set('k', V, { tags: ['t'] })
  const [record = ''] = (await raw.keys(`${prefix}*`)).filter(name => name.endsWith('}kk'))
  for (const foreign of ['1', '1abc', '1234567890abcdef']) {
    await raw.set(record, foreign)
    await expect(adapter.get('k'), foreign).rejects.toMatchObject(
      failing('L2_CORRUPT_STORE', 'cut short: delete it'),
    )
  }
  // It is not a record with tags that are lost, either.
  await raw.set(record, '0abc')
  expect(await orphansUnder(raw, prefix)).toEqual([])
  const [index = ''] = (await raw.keys(`${prefix}*`)).filter(name => name.endsWith('}x'))
  await raw.del(index)
  await raw.set(index, 'mine')
  const corrupt = failing('L2_CORRUPT_STORE', 'prefix of its own')
  await expect(adapter.set('k', V, { tags: ['u'] })).rejects.toMatchObject(corrupt)
  await expect(adapter.deleteByTag('t')).rejects.toMatchObject(corrupt)
  await adapter.clear()
  await adapter.set('k', V, { tags: ['u'] })
})
