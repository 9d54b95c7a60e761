import { expect, test } from 'vitest'
import { MemoryAdapter } from './memory-adapter.js'
import { MemoryStorage } from './memory-storage.js'

const bytes = new Uint8Array([1])

test('two adapters share what they were given, and nothing by default', async () => {
  const storage = new MemoryStorage()
  const [one, other, alone] = [
    new MemoryAdapter({ storage }),
    new MemoryAdapter({ storage }),
    new MemoryAdapter(),
  ]
  await one.set('k', bytes)
  expect(await other.get('k')).toEqual(bytes)
  expect(await alone.get('k')).toBeUndefined()
})

test('a sweep removes what expired, its tags, and nothing else', async () => {
  const storage = new MemoryStorage()
  const adapter = new MemoryAdapter({ storage, prefix: 'p' })
  for (let i = 0; i < 3_000; i++)
    await adapter.set(`k${i}`, bytes, { ttl: 1, tags: ['t', `t${i}`] })
  await adapter.set('kept', bytes, { ttl: 60_000, tags: ['t', 'kept'] })
  await new Promise(resolve => setTimeout(resolve, 5))
  expect(await adapter.sweep()).toEqual({ removed: 3_000 })
  const { entries, tagged } = storage.space('p')
  expect([entries.size, [...tagged.keys()], tagged.get('t')?.size]).toEqual([1, ['t', 'kept'], 1])
  await adapter.delete('kept')
  expect([entries.size, tagged.size]).toEqual([0, 0])
})
