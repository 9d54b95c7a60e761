import { expect, test } from 'vitest'
import { bytes, newPrefix, openAdapter, openClient, text } from './support/adapters.js'
import { bookkeepingUnder } from './support/look-inside.mjs'
import { ownServer } from './support/own-server.js'
import { redisUrl } from './support/redis-server.mjs'

/** An adapter, and how often its Redis has run a command. */
async function counted() {
  const server = await ownServer()
  const adapter = openAdapter({ url: server.url, prefix: 'batch:' })
  const client = openClient(server.url)
  const calls = async (name: string) => {
    const found = new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(await client.info('commandstats'))
    return Number(found?.[1] ?? 0)
  }
  return { adapter, client, calls }
}

const keys = Array.from({ length: 100 }, (_, i) => `k${i}`)

test('reads of one turn share commands, and each has its own answer', async () => {
  const { adapter, calls } = await counted()
  await Promise.all(
    keys.map((key, i) => adapter.set(key, bytes(key), i % 2 ? { tags: ['t'] } : {})),
  )
  const before = await calls('mget')
  const found = await Promise.all([...keys, 'none', 'k7'].map(key => adapter.get(key)))
  expect(found.map(text)).toEqual([...keys, undefined, 'k7'])
  expect((await calls('mget')) - before).toBe(4)
})

test('removals of one turn share commands, also where Redis has forgotten the script, and leave nothing', async () => {
  const { adapter, client, calls } = await counted()
  await Promise.all(
    keys.map((key, i) => adapter.set(key, bytes(key), i % 2 ? { tags: ['t'] } : {})),
  )
  // With them no bucket loses its last tagged entry, and with that its fence, by an unlink too.
  const staying = Array.from({ length: 400 }, (_, i) => `stays${i}`)
  await Promise.all(staying.map(key => adapter.set(key, bytes(key), { tags: ['t'] })))
  await client.script('FLUSH')
  // No record of ours, and what is removed with it is gone all the same.
  const [stranger = ''] = await client.keys('*}kk8')
  await client.multi().del(stranger).rpush(stranger, 'a list').exec()
  const before = await calls('unlink')
  await Promise.all(keys.map(key => adapter.delete(key)))
  expect((await calls('unlink')) - before).toBe(4)
  const found = await Promise.all(keys.map(key => adapter.get(key)))
  expect(found.filter(one => one !== undefined)).toEqual([])
  await Promise.all(staying.map(key => adapter.delete(key)))
  await expect.poll(() => bookkeepingUnder(client, 'batch:')).toBe(0)
})

test('what is sent between two reads of one turn comes between them', async () => {
  const adapter = openAdapter()
  await adapter.set('k', bytes('old'))
  const [old, , other, , young] = await Promise.all([
    adapter.get('k'),
    adapter.set('k', bytes('young')),
    adapter.get('other'),
    adapter.delete('another'),
    adapter.get('k'),
  ])
  expect([old, other, young].map(text)).toEqual(['old', undefined, 'young'])
})

test('an abort of one fails none of those that share its command', async () => {
  const adapter = openAdapter()
  await Promise.all(['a', 'b', 'c'].map(key => adapter.set(key, bytes(key), { tags: ['t'] })))
  const controller = new AbortController()
  const { signal } = controller
  const reads = ['a', 'b', 'c'].map(key => adapter.get(key, key === 'b' ? { signal } : {}))
  const removals = ['x', 'y', 'z'].map(key => adapter.delete(key, key === 'y' ? { signal } : {}))
  controller.abort()
  const done = await Promise.allSettled([...reads, ...removals])
  expect(done.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
  ])
})

test('what was aborted in its turn is not sent', async () => {
  const prefix = newPrefix()
  const adapter = openAdapter({ prefix })
  await adapter.set('k', bytes('v'))
  const controller = new AbortController()
  const removal = adapter.delete('k', { signal: controller.signal })
  controller.abort()
  await expect(removal).rejects.toThrow('aborted')
  await adapter.ping()
  expect(text(await openAdapter({ url: redisUrl(), prefix }).get('k'))).toBe('v')
})
