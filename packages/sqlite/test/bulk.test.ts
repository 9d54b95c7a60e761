import { statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { SqliteAdapter, type SqliteAdapterOptions } from '../src/index.js'
import { temporaryFolder } from './support/folder.js'
import { faultsIn, rowsIn } from './support/inspect.js'

const EMPTY = new Uint8Array()

function opened(options: Partial<SqliteAdapterOptions> = {}) {
  const path = join(temporaryFolder(), 'cache.db')
  const open = (more: Partial<SqliteAdapterOptions> = {}) => {
    const adapter = new SqliteAdapter({ path, sweepInterval: 0, ...options, ...more })
    onTestFinished(() => adapter.close())
    return adapter
  }
  return { path, open, adapter: open() }
}

const elapse = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

async function fill(adapter: SqliteAdapter, count: number, options = {}): Promise<void> {
  for (let i = 0; i < count; i++) await adapter.set(`key ${i}`, new Uint8Array(1_000), options)
}

test('deleteByTag removes thousands in slices, and those alone', async () => {
  const { adapter, path } = opened()
  await fill(adapter, 3_000, { tags: ['gone', 'other'] })
  await adapter.set('key 7', EMPTY, { tags: ['other'] })
  await adapter.deleteByTag('gone')
  expect(rowsIn(path)).toMatchObject({ entry: 1, tag: 1 })
  expect(await adapter.get('key 7')).toEqual(EMPTY)
  expect(faultsIn(path)).toEqual([])
})

test('clear removes thousands in slices, under its prefix alone', async () => {
  const { adapter, open, path } = opened()
  const other = open({ prefix: 'l2:2' })
  await other.set('key', EMPTY, { tags: ['tag'] })
  await fill(adapter, 3_000, { tags: ['tag'] })
  await adapter.clear()
  expect(rowsIn(path)).toMatchObject({ entry: 1, tag: 1 })
  expect(await other.get('key')).toEqual(EMPTY)
})

test.each([
  ['deleteByTag', 0, (adapter: SqliteAdapter) => adapter.deleteByTag('tag')],
  ['clear', 0, (adapter: SqliteAdapter) => adapter.clear()],
  ['sweep', 1, (adapter: SqliteAdapter) => adapter.sweep()],
] as const)('%s ends while another adapter goes on setting', async (method, ttl, work) => {
  const { adapter, open } = opened()
  const options = { tags: ['tag'], ttl }
  await fill(adapter, 2_000, options)
  const other = open()
  let going = true
  const setting = (async () => {
    for (let i = 0; going; i++) {
      await other.set(`later ${i.toString().padStart(9, '0')}`, EMPTY, options)
      await other.set(`key ${i % 2_000}`, EMPTY, options)
      if (i % 10 === 0) await new Promise(resolve => setImmediate(resolve))
    }
  })()
  await Promise.race([
    work(adapter),
    elapse(20_000).then(() => Promise.reject(new Error(`${method} does not end`))),
  ])
  going = false
  await setting
})

test('an aborted bulk call has removed some, and a second one removes the rest', async () => {
  const { adapter, path } = opened()
  await fill(adapter, 3_000, { tags: ['tag'] })
  const abort = new AbortController()
  const call = adapter.deleteByTag('tag', { signal: abort.signal })
  await elapse(3)
  abort.abort()
  await expect(call).rejects.toBe(abort.signal.reason)
  const { entry, tag } = rowsIn(path)
  expect(entry).toBeGreaterThan(0)
  expect(entry).toBeLessThan(3_000)
  expect(tag).toBe(entry)
  await adapter.deleteByTag('tag')
  expect(rowsIn(path)).toMatchObject({ entry: 0, tag: 0 })
})

test('a sweep removes what has expired, of every prefix, and its tags', async () => {
  const { adapter, open, path } = opened()
  const other = open({ prefix: 'other:' })
  await fill(adapter, 1_000, { ttl: 1, tags: ['a', 'b', 'c'] })
  await other.set('key', EMPTY, { ttl: 1, tags: ['a'] })
  await adapter.set('sibling', EMPTY, { tags: ['a'] })
  await adapter.set('key 3', EMPTY, { ttl: 60_000, tags: ['a'] })
  await elapse(5)
  expect(await adapter.sweep()).toEqual({ removed: 1_000 })
  expect(rowsIn(path)).toMatchObject({ entry: 2, tag: 2 })
  await adapter.deleteByTag('a')
  expect(rowsIn(path)).toMatchObject({ entry: 0, tag: 0 })
  expect(await adapter.sweep()).toEqual({ removed: 0 })
})

test('expired entries go by themselves', async () => {
  const { adapter, path } = opened({ sweepInterval: 20 })
  await adapter.set('key', EMPTY, { ttl: 1, tags: ['tag'] })
  await expect.poll(() => rowsIn(path)).toMatchObject({ entry: 0, tag: 0 })
})

test('a sweep that finds nothing does not wait for a writer', async () => {
  const { adapter, path } = opened({ timeout: 200 })
  await fill(adapter, 3_000)
  const stranger = new Database(path)
  onTestFinished(() => void stranger.close())
  stranger.exec('BEGIN IMMEDIATE')
  expect(await adapter.sweep()).toEqual({ removed: 0 })
})

test('the file shrinks after mass deletion', async () => {
  const { adapter, path } = opened()
  await fill(adapter, 8_000)
  await adapter.clear()
  await adapter.sweep()
  await adapter.close()
  expect(statSync(path).size).toBeLessThan(2 * 1_024 * 1_024)
})

test.each(['PRAGMA journal_mode = WAL', 'CREATE TABLE t (x); DROP TABLE t'])(
  'so does one that had a page before: %s',
  async sql => {
    const { adapter, path } = opened()
    new Database(path).exec(sql).close()
    await fill(adapter, 3_000)
    await adapter.clear()
    await adapter.sweep()
    await adapter.close()
    expect(statSync(path).size).toBeLessThan(2 * 1_024 * 1_024)
    expect(faultsIn(path)).toEqual([])
  },
)

test('a sweep ends in a file that can not shrink', async () => {
  const { adapter, open, path } = opened()
  await adapter.ping()
  await adapter.close()
  new Database(path).exec('PRAGMA auto_vacuum = NONE; VACUUM').close()
  const again = open()
  await fill(again, 3_000)
  await again.clear()
  expect(await again.sweep({ signal: AbortSignal.timeout(10_000) })).toEqual({ removed: 0 })
})

test('setting the same tags again writes no tag rows', async () => {
  const { adapter, path } = opened()
  await adapter.set('key', EMPTY, { tags: ['b', 'a', 'a'] })
  const before = rowsIn(path)
  for (let i = 0; i < 100; i++) await adapter.set('key', EMPTY, { tags: ['a', 'b'] })
  expect(rowsIn(path)).toEqual(before)
  expect(before.tag).toBe(2)
})

test('ping writes to the file and changes no row', async () => {
  const { adapter, path } = opened()
  await adapter.ping()
  const log = () => statSync(`${path}-wal`).size
  const [rows, size] = [rowsIn(path), log()]
  await adapter.ping()
  expect(log()).toBeGreaterThan(size)
  expect(rowsIn(path)).toEqual(rows)
})
