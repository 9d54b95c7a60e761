import { isL2Error } from '@l2/core'
import { expect, onTestFinished, test } from 'vitest'
import { bytes, newPrefix, openAdapter, openClient, text } from './support/adapters.js'
import { DraftThief } from './support/draft-thief.mjs'
import { namesUnder } from './support/look-inside.mjs'
import { ownServer } from './support/own-server.js'
import { redisAddress, redisUrlAt } from './support/redis-server.mjs'

const V = bytes('v')

/** What becomes of calls: `done`, or the code or name of the error. */
const outcomes = async (calls: readonly Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(calls)).map(one =>
    one.status === 'fulfilled' ? 'done' : isL2Error(one.reason) ? one.reason.code : one.reason.name,
  )

test.each([
  ['set', 'younger'],
  ['delete', undefined],
] as const)(
  'a %s that waits with a large set whose draft is lost, and which is aborted, is done',
  async (operation, expected) => {
    const [prefix, raw] = [newPrefix(), openClient()]
    const thief = await new DraftThief(redisAddress(), raw, prefix).listen()
    onTestFinished(() => thief.close())
    const adapter = openAdapter({ url: redisUrlAt(thief.port), prefix })
    // Redis has to know the script: else that would be refused.
    await adapter.set('other', new Uint8Array(20_000), { tags: ['t'] })
    const controller = new AbortController()
    const { signal } = controller
    const aborted = new Promise<void>(resolve => {
      thief.lurk(() => {
        controller.abort()
        resolve()
      })
    })
    const calls = [
      adapter.set('k', bytes('older')),
      operation === 'set'
        ? adapter.set('k', bytes('younger'), { tags: ['t'] })
        : adapter.delete('k'),
      adapter.set('k', new Uint8Array(20_000), { tags: ['t'], signal }),
    ]
    await aborted
    expect(await outcomes(calls)).toEqual(['done', 'done', 'AbortError'])
    expect(text(await adapter.get('k'))).toBe(expected)
  },
)

test('an abort fails no other write that waited with it, also where Redis has forgotten the script', async () => {
  const { url } = await ownServer()
  const [adapter, raw] = [openAdapter({ url }), openClient(url)]
  await adapter.ping()
  for (let round = 0; round < 10; round++) {
    await raw.script('FLUSH')
    const controller = new AbortController()
    const { signal } = controller
    const first = adapter.set('k', bytes('first'))
    const calls = [
      first,
      adapter.set('k', bytes(`second ${round}`), { tags: ['t'] }),
      adapter.set('k', bytes('third'), { tags: ['t'], signal }),
    ]
    // By then the third has been sent, and has no answer.
    first.then(() => setImmediate(() => controller.abort()))
    expect(await outcomes(calls)).toEqual(['done', 'done', 'AbortError'])
    expect(text(await adapter.get('k'))).toBe(`second ${round}`)
  }
})

test('without room, a delete is done that waits with a younger set', async () => {
  const { url } = await ownServer('maxmemory-policy noeviction')
  const [adapter, raw] = [openAdapter({ url }), openClient(url)]
  for (const options of [{}, { tags: ['t'] }]) {
    for (const size of [1, 20_000]) {
      await raw.config('SET', 'maxmemory', '0')
      await adapter.set('k', V, { tags: ['t'] })
      await raw.config('SET', 'maxmemory', '1')
      const value = new Uint8Array(size)
      const calls = [
        adapter.set('k', value, options),
        adapter.delete('k'),
        adapter.set('k', value, options),
        adapter.set('k', value, options),
      ]
      expect(await outcomes(calls)).toEqual(['L2_FULL', 'done', 'L2_FULL', 'L2_FULL'])
      expect(await adapter.get('k')).toBeUndefined()
    }
  }
})

test.each([
  ['set', 'second'],
  ['delete', undefined],
] as const)(
  'a %s does not fail because of what a younger set finds under the prefix',
  async (operation, expected) => {
    const prefix = newPrefix()
    const [adapter, raw] = [openAdapter({ prefix }), openClient()]
    await adapter.set('k', V, { tags: ['t'] })
    for (const { fence } of namesUnder(prefix)) {
      await raw.del(fence)
      await raw.lpush(fence, 'of somebody else')
    }
    const calls = [
      adapter.set('k', bytes('first')),
      operation === 'set' ? adapter.set('k', bytes('second')) : adapter.delete('k'),
      adapter.set('k', V, { tags: ['t'] }),
      adapter.set('k', new Uint8Array(20_000), { tags: ['t'] }),
    ]
    const corrupt = 'L2_CORRUPT_STORE'
    expect(await outcomes(calls)).toEqual(['done', 'done', corrupt, corrupt])
    expect(text(await adapter.get('k'))).toBe(expected)
  },
)

test('where Redis refuses the connection, writes that wait together do not each make another', async () => {
  const { url } = await ownServer()
  const raw = openClient(url)
  const address = new URL(url)
  address.password = 'wrong'
  const adapter = openAdapter({ url: address.href, prefix: 'p:' })
  const connections = async () =>
    Number(/total_connections_received:(\d+)/.exec(await raw.info('stats'))?.[1])
  const before = await connections()
  const calls = Array.from({ length: 100 }, (_, i) => adapter.set('k', bytes(`${i}`)))
  expect(new Set(await outcomes(calls))).toEqual(new Set(['L2_UNAVAILABLE']))
  const after = await connections()
  expect(after).toBeGreaterThan(before)
  expect(after - before).toBeLessThan(5)
})
