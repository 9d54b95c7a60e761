import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { SqliteAdapter } from '../src/index.js'
import { startChild } from './support/child.js'
import { temporaryFolder } from './support/folder.js'

const bytes = (text: string) => new TextEncoder().encode(text)

/** An open adapter, and a stranger who can hold the write lock of its file. */
async function lockable(timeout = 5_000) {
  const path = join(temporaryFolder(), 'cache.db')
  const adapter = new SqliteAdapter({ path, timeout, sweepInterval: 0 })
  onTestFinished(() => adapter.close())
  await adapter.set('old', bytes('old'), { tags: ['old'] })
  const stranger = new Database(path)
  onTestFinished(() => void stranger.close())
  return {
    path,
    adapter,
    lock: () => void stranger.exec('BEGIN IMMEDIATE'),
    unlock: () => void stranger.exec('ROLLBACK'),
  }
}

const elapse = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** How often the event loop turned during `work`. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await work
  clearInterval(timer)
  return turns
}

test('a lock of another process is waited for, and the event loop goes on', async () => {
  const { adapter, path } = await lockable()
  const other = await startChild()
  await other.do('lock', [path, 300])
  const start = performance.now()
  const turns = await turnsDuring(adapter.set('key', bytes('new')))
  expect(performance.now() - start).toBeGreaterThan(200)
  // Not one, as where SQLite itself waits.
  expect(turns).toBeGreaterThan(10)
  expect(await adapter.get('key')).toEqual(bytes('new'))
})

test('reads do not wait for a writer', async () => {
  const { adapter, lock, unlock } = await lockable()
  lock()
  const waiting = adapter.set('key', bytes('new'))
  expect(await adapter.get('old')).toEqual(bytes('old'))
  unlock()
  await waiting
})

test('calls behind a lock take effect in the order they were made', async () => {
  const { adapter, lock, unlock } = await lockable()
  lock()
  const calls = [
    adapter.set('a', bytes('1')),
    adapter.set('a', bytes('2'), { tags: ['t'] }),
    adapter.get('a'),
    adapter.delete('a'),
    adapter.get('a'),
    adapter.set('b', bytes('1'), { tags: ['t'] }),
    adapter.get('b'),
    adapter.deleteByTag('t'),
    adapter.get('b'),
    adapter.set('b', bytes('2'), { tags: ['t'] }),
    adapter.clear(),
    adapter.get('old'),
    adapter.set('c', bytes('3')),
  ]
  await elapse(20)
  unlock()
  const seen = (await Promise.all(calls)).filter((_, at) => [2, 4, 6, 8, 11].includes(at))
  expect(seen).toEqual([bytes('2'), undefined, bytes('1'), undefined, undefined])
  expect(await adapter.get('a')).toBeUndefined()
  expect(await adapter.get('c')).toEqual(bytes('3'))
})

test('a lock that is held for too long is L2_TIMEOUT, and the given-up call never runs', async () => {
  const { adapter, lock, unlock } = await lockable(100)
  lock()
  const start = performance.now()
  await expect(
    Promise.all([adapter.set('key', bytes('given up')), adapter.ping()]),
  ).rejects.toMatchObject({ code: 'L2_TIMEOUT', retryable: true })
  expect(performance.now() - start).toBeLessThan(1_000)
  await expect(adapter.clear()).rejects.toMatchObject({ code: 'L2_TIMEOUT' })
  unlock()
  await elapse(50)
  expect(await adapter.get('key')).toBeUndefined()
  expect(await adapter.get('old')).toEqual(bytes('old'))
})

test('an aborted call rejects at once, never runs, and leaves the others alone', async () => {
  const { adapter, lock, unlock } = await lockable()
  lock()
  const abort = new AbortController()
  const { signal } = abort
  const before = adapter.set('before', bytes('1'))
  const given = [
    adapter.set('key', bytes('given up'), { signal }),
    adapter.delete('old', { signal }),
    adapter.deleteByTag('old', { signal }),
    adapter.clear({ signal }),
    adapter.ping({ signal }),
    adapter.sweep({ signal }),
  ]
  const after = adapter.set('after', bytes('2'))
  await elapse(10)
  const reason = new Error('enough')
  abort.abort(reason)
  const settled = await Promise.race([Promise.allSettled(given), elapse(50)])
  expect(settled).toEqual(given.map(() => ({ status: 'rejected', reason })))
  unlock()
  await Promise.all([before, after])
  expect(await adapter.get('key')).toBeUndefined()
  expect(await adapter.get('old')).toEqual(bytes('old'))
  expect(await adapter.get('before')).toEqual(bytes('1'))
  expect(await adapter.get('after')).toEqual(bytes('2'))
})

test('close waits for calls that wait for a lock', async () => {
  const { adapter, path, lock, unlock } = await lockable()
  lock()
  const waiting = adapter.set('key', bytes('new'))
  const closed = adapter.close()
  await expect(adapter.get('key')).rejects.toMatchObject({ code: 'L2_CLOSED' })
  unlock()
  await Promise.all([waiting, closed])
  await using again = new SqliteAdapter({ path })
  expect(await again.get('key')).toEqual(bytes('new'))
})

test('thousands of calls behind a lock all run, in pieces', async () => {
  const { adapter, lock, unlock } = await lockable()
  lock()
  const calls = Array.from({ length: 5_000 }, (_, i) => adapter.set(`${i}`, new Uint8Array(1_000)))
  unlock()
  expect(await turnsDuring(Promise.all(calls))).toBeGreaterThan(2)
  expect(await adapter.get('4999')).toHaveLength(1_000)
})

test.each(['get', 'delete'] as const)('a loop of awaited %ss starves no timer', async method => {
  const { adapter } = await lockable()
  const loop = async () => {
    for (let i = 0; i < 5_000; i++) await adapter[method]('old')
  }
  expect(await turnsDuring(loop())).toBeGreaterThan(2)
})

test('reads by the thousand, all made at once, let the event loop turn', async () => {
  const { adapter } = await lockable()
  const reads = async () => {
    await Promise.all(Array.from({ length: 20_000 }, () => adapter.get('old')))
  }
  expect(await turnsDuring(reads())).toBeGreaterThan(2)
})

test('a file that is locked while it is opened', async () => {
  const path = join(temporaryFolder(), 'cache.db')
  const stranger = new Database(path)
  onTestFinished(() => void stranger.close())
  stranger.exec('BEGIN EXCLUSIVE')
  await using adapter = new SqliteAdapter({ path, timeout: 5_000 })
  const calls = [adapter.set('a', bytes('1')), adapter.get('a'), adapter.get('b')]
  await elapse(30)
  stranger.exec('ROLLBACK')
  expect(await Promise.all(calls)).toEqual([undefined, bytes('1'), undefined])

  await using late = new SqliteAdapter({ path, timeout: 50 })
  stranger.exec('BEGIN EXCLUSIVE')
  await expect(late.set('a', bytes('2'))).rejects.toMatchObject({ code: 'L2_TIMEOUT' })
  stranger.exec('ROLLBACK')
  await late.set('a', bytes('2'))
})
