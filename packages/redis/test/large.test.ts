import { expect, test } from 'vitest'
import { newPrefix, openAdapter, openClient, readable } from './support/adapters.js'
import { allUnder, bookkeepingUnder, namesUnder, orphansUnder } from './support/look-inside.mjs'
import { ownServer } from './support/own-server.js'

const V = new Uint8Array()

const filled = (size: number, byte: number) => new Uint8Array(size).fill(byte)

test.each([16_383, 16_384, 1_048_576])(
  'a value of %d bytes with tags: exact, tagged, and leaves no draft',
  async size => {
    const prefix = newPrefix()
    const [adapter, raw] = [openAdapter({ prefix }), openClient()]
    for (const tags of [['a'], ['a', 'b'], ['b'], ['b']]) {
      await adapter.set('k', filled(size, tags.length), { tags })
      expect(Buffer.compare((await adapter.get('k')) ?? V, filled(size, tags.length))).toBe(0)
      expect(await bookkeepingUnder(raw, prefix)).toBe(tags.length)
      expect(await orphansUnder(raw, prefix)).toEqual([])
    }
    expect(await allUnder(raw, prefix)).toHaveLength(3)
    await adapter.deleteByTag('a')
    expect(await readable(adapter, ['k'])).toEqual(['k'])
    await adapter.deleteByTag('b')
    expect(await allUnder(raw, prefix)).toEqual([])
  },
)

test('a large value does not pass through Lua: the script is given none of it', async () => {
  // Redis logs each command, and how many bytes of an argument it leaves out.
  const { url } = await ownServer('slowlog-log-slower-than 0', 'slowlog-max-len 1000')
  const [adapter, raw] = [openAdapter({ url }), openClient(url)]
  await adapter.set('k', filled(300_000, 0x61), { tags: ['t'] })
  const log = (await raw.slowlog('GET', 1_000)) as [number, number, number, string[]][]
  const given = (name: RegExp) =>
    log.flatMap(([, , , [command = '', ...args]]) => (name.test(command) ? args : [])).join()
  expect(given(/^set$/)).toMatch(/\(\d{6} more bytes\)/)
  expect(given(/^eval/)).toContain('{')
  expect(given(/^eval/)).not.toMatch(/\(\d{5,} more bytes\)/)
})

test('the epoch of a draft is made right: also where its writer has never seen the bucket', async () => {
  const prefix = newPrefix()
  const raw = openClient()
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`)
  await Promise.all(
    keys.map(key => openAdapter({ prefix }).set(key, filled(20_000, 1), { tags: ['t'] })),
  )
  expect(await readable(openAdapter({ prefix }), keys)).toEqual(keys)
  for (const { fence } of namesUnder(prefix)) await raw.del(fence)
  await Promise.all(
    keys.map(key => openAdapter({ prefix }).set(key, filled(20_000, 2), { tags: ['t'] })),
  )
  expect(await readable(openAdapter({ prefix }), keys)).toEqual(keys)
  expect(await orphansUnder(raw, prefix)).toEqual([])
})

test('overwriting a large value is never a miss', async () => {
  const prefix = newPrefix()
  const [writer, reader] = [openAdapter({ prefix }), openAdapter({ prefix })]
  await writer.set('k', filled(20_000, 0), { tags: ['t'] })
  let stopped = false
  const writing = (async () => {
    for (let i = 1; !stopped; i = (i + 1) % 256) {
      await writer.set('k', filled(i % 2 ? 20_000 : 100, i), { tags: ['t', `t${i % 3}`] })
    }
  })()
  for (let i = 0; i < 500; i++) {
    const value = await reader.get('k')
    expect(value).toBeDefined()
    expect(new Set(value).size).toBe(1)
  }
  stopped = true
  await writing
})

test('a value that Redis can not hold is refused, and what was there stays', async () => {
  const adapter = openAdapter()
  const huge = new Uint8Array(511 * 1024 * 1024 + 1)
  // Those that are under way, too.
  const calls = [adapter.set('k', filled(1, 0)), adapter.set('k', filled(1, 1))]
  await expect(adapter.set('k', huge)).rejects.toMatchObject({ code: 'L2_UNSUPPORTED' })
  await Promise.all(calls)
  expect(await adapter.get('k')).toEqual(filled(1, 1))
})
