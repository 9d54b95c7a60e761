import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { SqliteAdapter } from '../src/index.js'
import { temporaryFolder } from './support/folder.js'
import { faultsIn, rowsIn } from './support/inspect.js'

const NAMES = [
  '',
  '\0',
  'a',
  'a\0',
  'a\0b',
  'A',
  'á',
  'a\u0301',
  '%',
  '_',
  'a%',
  '*',
  '?',
  '[a]',
  '{a}',
  '\\',
  "'",
  '"',
  '`',
  "'; DROP TABLE entry; --",
  'entry',
  'tag',
  'prefix',
  'sqlite_schema',
  '["a"]',
  'null',
  '1',
  '1.0',
  '\n',
  '\r\n',
  '\ufeff',
  '\ufffd',
  '\uffff',
  '😀',
  'x'.repeat(65_536),
  'x'.repeat(65_535),
  '😀'.repeat(16_384),
]

async function opened(prefix: string, path: string): Promise<SqliteAdapter> {
  const adapter = new SqliteAdapter({ path, prefix, sweepInterval: 0 })
  onTestFinished(() => adapter.close())
  return adapter
}

test('any name is its own key, tag and prefix', async () => {
  const path = join(temporaryFolder(), 'cache.db')
  const prefixes = NAMES.filter(name => name.length < 100)
  const adapters = await Promise.all(prefixes.map(prefix => opened(prefix, path)))
  for (const [at, adapter] of adapters.entries())
    for (const [number, name] of NAMES.entries())
      await adapter.set(name, new Uint8Array([at, number]), { tags: [name, 'all'] })
  const left = () =>
    Promise.all(adapters.map(adapter => Promise.all(NAMES.map(name => adapter.get(name)))))
  const expected: (Uint8Array | undefined)[][] = prefixes.map((_, at) =>
    NAMES.map((_, number) => new Uint8Array([at, number])),
  )
  expect(await left()).toEqual(expected)

  // Each tag of one prefix removes its own entry there, and no other anywhere.
  for (const [number, name] of NAMES.entries()) {
    const at = number % adapters.length
    await adapters[at]?.deleteByTag(name)
    ;(expected[at] as unknown[])[number] = undefined
  }
  expect(await left()).toEqual(expected)

  const cleared = prefixes.indexOf('%')
  await adapters[cleared]?.clear()
  expected[cleared] = NAMES.map(() => undefined)
  expect(await left()).toEqual(expected)
  expect(faultsIn(path)).toEqual([])

  for (const adapter of adapters) await adapter.deleteByTag('all')
  expect(rowsIn(path)).toEqual({ prefix: prefixes.length, entry: 0, tag: 0 })
})

test('an entry may have a thousand tags', async () => {
  const path = join(temporaryFolder(), 'cache.db')
  const adapter = await opened('l2:', path)
  const tags = Array.from({ length: 1_000 }, (_, i) => `tag ${i}`)
  await adapter.set('key', new Uint8Array(1), { tags })
  await adapter.set('key', new Uint8Array(2), { tags: tags.slice(500) })
  expect(rowsIn(path).tag).toBe(500)
  await adapter.deleteByTag('tag 0')
  expect(await adapter.get('key')).toEqual(new Uint8Array(2))
  await adapter.deleteByTag('tag 999')
  expect(rowsIn(path)).toMatchObject({ entry: 0, tag: 0 })
})

test.each([0, 1, 1_024 * 1_024, 16 * 1_024 * 1_024, 64 * 1_024 * 1_024])(
  '%i bytes come back exactly',
  async size => {
    const adapter = await opened('l2:', join(temporaryFolder(), 'cache.db'))
    const value = new Uint8Array(size)
    for (let at = 0; at < size; at++) value[at] = (at * 31) ^ (at >> 8)
    await adapter.set('key', value)
    const seen = await adapter.get('key')
    expect(seen?.length).toBe(size)
    expect(Buffer.compare(seen as Uint8Array, value)).toBe(0)
  },
)
