import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import {
  bytes,
  newPrefix,
  openAdapter,
  openClient,
  openProxy,
  readable,
  text,
} from './support/adapters.js'
import { orphansUnder } from './support/look-inside.mjs'
import { ownServer } from './support/own-server.js'
import { redisUrlAt } from './support/redis-server.mjs'

const V = bytes('v')

const settled = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    value => value,
    (error: unknown) => error,
  )

test.each([
  ['its deadline', undefined, {}],
  ['its deadline, without tags', undefined, { tags: undefined }],
  ['its signal', 30, {}],
])(
  'a set given up by %s never undoes a younger one, however late it arrives',
  async (_, ms, options) => {
    const proxy = await openProxy()
    const prefix = newPrefix()
    const adapter = openAdapter({ url: redisUrlAt(proxy.port), prefix, timeout: 250 })
    const beside = openAdapter({ prefix })
    const all = { tags: ['t'], ...options }
    for (let round = 0; round < 3; round++) {
      await adapter.set('k', bytes('before'), all)
      proxy.stall()
      const signal = ms === undefined ? undefined : AbortSignal.timeout(ms)
      const given = [
        adapter.set('k', bytes('given up'), { ...all, signal }),
        adapter.set('deleted', bytes('given up'), { ...all, signal }),
      ]
      for (const one of await Promise.allSettled(given)) expect(one.status).toBe('rejected')
      // New connections get through, while the network still holds what was sent on the old one.
      proxy.open()
      await expect
        .poll(() => settled(adapter.set('k', bytes('younger'), all)), { timeout: 10_000 })
        .toBeUndefined()
      await adapter.delete('deleted')
      proxy.resume()
      await new Promise(resolve => setTimeout(resolve, 100))
      expect(text(await beside.get('k'))).toBe('younger')
      expect(await beside.get('deleted')).toBeUndefined()
    }
  },
)

test('a connection on which the last answer came before a call was given up is given up too', async () => {
  const server = await ownServer()
  const proxy = await openProxy({ host: '127.0.0.1', port: server.port })
  const { password } = server
  const adapter = openAdapter({ connection: { port: proxy.port, password }, timeout: 400 })
  await adapter.set('k', V)
  const client = openClient(server.url)
  // The answer comes after the set was sent, and nothing after that.
  await client.client('PAUSE', 150, 'ALL')
  const earlier = adapter.get('other')
  await new Promise(resolve => setTimeout(resolve, 50))
  proxy.stallRequests()
  const given = settled(adapter.set('k', V))
  expect(await earlier).toBeUndefined()
  expect(await given).toMatchObject({ code: 'L2_TIMEOUT' })
  proxy.open()
  await expect.poll(() => settled(adapter.get('k')), { timeout: 10_000 }).toEqual(V)
})

test('calls that a lost connection leaves without an answer are never sent again', async () => {
  const prefix = newPrefix()
  const raw = openClient()
  const { connection, kill } = named(raw)
  const adapter = openAdapter({ connection, prefix })
  await adapter.ping()
  for (let round = 0; round < 30; round++) {
    const sets = Array.from({ length: 50 }, (_, i) =>
      adapter.set(`k${i}`, bytes('old'), { tags: ['t'] }),
    )
    const outcomes = Promise.allSettled(sets)
    await kill()
    await outcomes
    await Promise.all(sets.map((_, i) => settled(adapter.delete(`k${i}`))))
    const left = await readable(
      adapter,
      sets.map((_, i) => `k${i}`),
    )
    await adapter.clear()
    await new Promise(resolve => setTimeout(resolve, 5))
    expect(await readable(adapter, left)).toEqual([])
    expect(await orphansUnder(raw, prefix)).toEqual([])
  }
})

test('a connection that Redis ends is made again by the next call', async () => {
  const { connection, kill } = named(openClient())
  const adapter = openAdapter({ connection })
  for (let round = 0; round < 5; round++) {
    await adapter.set('k', V, { tags: ['t'] })
    await kill()
    await expect.poll(() => settled(adapter.get('k').then(text)), { timeout: 5_000 }).toBe('v')
  }
})

test('an abort fails no other call, and does not cut the connection', async () => {
  const proxy = await openProxy()
  const adapter = openAdapter({ url: redisUrlAt(proxy.port) })
  await adapter.ping()
  for (let round = 0; round < 50; round++) {
    const controller = new AbortController()
    const { signal } = controller
    const calls = Array.from({ length: 20 }, (_, i) =>
      adapter.set(`k${i}`, bytes(`${round}`), i % 2 ? { signal, tags: ['t'] } : { tags: ['t'] }),
    )
    controller.abort()
    const outcomes = await Promise.allSettled(calls)
    expect(outcomes.filter(({ status }, i) => i % 2 === 0 && status === 'rejected')).toEqual([])
  }
  expect(proxy.connections).toBe(1)
})

test('Redis may be killed and started again while it is in use', { timeout: 60_000 }, async () => {
  const server = await ownServer('appendonly yes', 'appendfsync always')
  const prefix = newPrefix()
  const adapter = openAdapter({ url: server.url, prefix, timeout: 2_000 })
  const acknowledged = new Map<string, string>()
  const removed = new Set<string>()
  for (let round = 0; round < 3; round++) {
    let stopped = false
    const lanes = Array.from({ length: 10 }, async (_, lane) => {
      for (let i = 0; !stopped; i++) {
        const key = `${round}:${lane}:${i}`
        const error = await settled(adapter.set(key, bytes(key), { tags: [`lane ${lane}`] }))
        if (error === undefined) acknowledged.set(key, `lane ${lane}`)
        else
          expect(error).toMatchObject({ code: expect.stringMatching(/^L2_(UNAVAILABLE|TIMEOUT)$/) })
      }
    })
    await new Promise(resolve => setTimeout(resolve, 200))
    await adapter.deleteByTag('lane 3')
    await server.kill()
    stopped = true
    await Promise.all(lanes)
    expect(await settled(adapter.get('k'))).toMatchObject({
      code: 'L2_UNAVAILABLE',
      retryable: true,
    })
    await server.startAgain()
    const raw = openClient(server.url)
    expect(await orphansUnder(raw, prefix)).toEqual([])
    await adapter.deleteByTag('lane 3')
    const keys = [...acknowledged].filter(([, tag]) => tag !== 'lane 3').map(([key]) => key)
    expect(await readable(adapter, keys)).toEqual(keys)
    for (const [key, tag] of acknowledged) if (tag === 'lane 3') removed.add(key)
    expect(await readable(adapter, [...removed])).toEqual([])
  }
  expect(acknowledged.size).toBeGreaterThan(30)
})

test('Redis may forget the scripts at any time, and everything it holds', async () => {
  const { url } = await ownServer()
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ url, prefix }), openClient(url)]
  for (let round = 0; round < 60; round++) {
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
    const sets = keys.map(key => adapter.set(key, bytes(`${round}`), { tags: [`t${round}`] }))
    const younger = keys.map(key => adapter.set(key, bytes(`younger ${round}`)))
    await raw.script('FLUSH')
    await Promise.all([...sets, ...younger])
    // In the order they were made, also where the older had to be sent again.
    for (const key of keys) expect(text(await adapter.get(key))).toBe(`younger ${round}`)
    await Promise.all(keys.map(key => adapter.set(key, V, { tags: ['t'] })))
    if (round % 3 === 0) await raw.flushall()
    const again = [
      ...keys.map(key => adapter.set(key, V, { tags: ['t'] })),
      adapter.deleteByTag('t'),
    ]
    await raw.script('FLUSH')
    await Promise.all(again)
    expect(await readable(adapter, keys)).toEqual([])
  }
})

test('calls made before there is a connection go out in their order', async () => {
  for (let round = 0; round < 20; round++) {
    const adapter = openAdapter()
    const calls = [
      adapter.get('k'),
      adapter.set('k', bytes('1'), { tags: ['t'] }),
      adapter.get('k'),
      adapter.delete('k'),
      adapter.get('k'),
      adapter.set('k', bytes('2')),
      adapter.get('k'),
      adapter.deleteByTag('t'),
      adapter.clear(),
    ]
    const seen = (await Promise.all(calls)).map(one => (one === undefined ? one : text(one)))
    expect(seen.slice(0, 7)).toEqual([
      undefined,
      undefined,
      '1',
      undefined,
      undefined,
      undefined,
      '2',
    ])
    expect(await adapter.get('k')).toBeUndefined()
  }
})

test('what nobody listens at is an error that names no secret', async () => {
  const server = await ownServer()
  const url = new URL(server.url)
  await server.kill()
  const adapter = openAdapter({ url: server.url })
  const error = await settled(adapter.set('k', bytes('canary-value')))
  expect(error).toMatchObject({
    code: 'L2_UNAVAILABLE',
    message: expect.stringContaining('ECONNREFUSED'),
  })
  for (const shown of [
    inspect(error, { depth: 9, showHidden: true }),
    inspect(adapter, { depth: 9 }),
  ]) {
    expect(shown).not.toContain(url.password)
    expect(shown).not.toContain('canary-value')
  }
})

test('a Redis that accepts and never answers costs each call its deadline, and close() none', async () => {
  const proxy = await openProxy()
  proxy.stall()
  const adapter = openAdapter({ url: redisUrlAt(proxy.port), timeout: 200 })
  const calls = [adapter.get('k'), adapter.set('k', V), adapter.ping(), adapter.clear()]
  for (const one of await Promise.allSettled(calls))
    expect(one).toMatchObject({ status: 'rejected', reason: { retryable: true } })
  const late = settled(adapter.get('k'))
  await adapter.close()
  expect(await late).toMatchObject({ name: 'L2Error' })
})

/** How to connect under a name, and what ends the connection of that name, which others may follow. */
function named(raw: ReturnType<typeof openClient>) {
  const connectionName = randomUUID()
  const { host = '', port = 0, username, password } = raw.options
  const kill = async (): Promise<void> => {
    const list = String(await raw.client('LIST')).split('\n')
    const line = list.find(one => one.includes(connectionName)) ?? ''
    const [, id] = /^id=(\d+)/.exec(line) ?? []
    if (id !== undefined) await raw.client('KILL', 'ID', id)
  }
  return { connection: { host, port, username, password, connectionName }, kill }
}
