import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { newSeed, randomFrom } from '../../core/test/support/random.mjs'
import { SqliteAdapter, type SqliteAdapterOptions } from '../src/index.js'
import { startChild } from './support/child.js'
import { temporaryFolder } from './support/folder.js'
import { faultsIn, rowsIn } from './support/inspect.js'

const MiB = 2 ** 20
const VALUE = new Uint8Array(1_000)

function opened(options: Partial<SqliteAdapterOptions> = {}) {
  const path = join(temporaryFolder(), 'cache.db')
  const open = (more: Partial<SqliteAdapterOptions> = {}) => {
    const adapter = new SqliteAdapter({ path, sweepInterval: 0, ...options, ...more })
    onTestFinished(() => adapter.close())
    return adapter
  }
  return { path, open, adapter: open(), size: () => statSync(path).size }
}

async function fill(adapter: SqliteAdapter, count: number, from = 0, value = VALUE): Promise<void> {
  for (let i = from; i < from + count; i += 100)
    await Promise.all(
      Array.from({ length: 100 }, (_, j) =>
        adapter.set(`key ${i + j}`, value, { tags: ['all', `tag ${(i + j) % 10}`] }),
      ),
    )
}

test('the file never grows beyond maxBytes, and the oldest go first', async () => {
  const { adapter, path, size } = opened({ maxBytes: 2 * MiB })
  for (let from = 0; from < 10_000; from += 1_000) {
    await fill(adapter, 1_000, from)
    expect(size()).toBeLessThanOrEqual(2 * MiB)
  }
  const { entry } = rowsIn(path)
  expect(entry).toBeGreaterThan(500)
  const kept = await Promise.all(
    Array.from({ length: 10_000 }, (_, i) => adapter.get(`key ${i}`).then(value => value && i)),
  )
  expect(kept.filter(i => i !== undefined)).toEqual(
    Array.from({ length: entry }, (_, i) => 10_000 - entry + i),
  )
  expect(faultsIn(path)).toEqual([])
  await adapter.deleteByTag('all')
  expect(rowsIn(path)).toMatchObject({ entry: 0, tag: 0 })
})

test('an entry that is set again and again stays', async () => {
  const { adapter } = opened({ maxBytes: 2 * MiB })
  await adapter.set('hot', VALUE, { tags: ['hot'] })
  for (let from = 0; from < 5_000; from += 100) {
    await fill(adapter, 100, from)
    await adapter.set('hot', VALUE, { tags: ['hot'] })
  }
  expect(await adapter.get('hot')).toBeDefined()
  expect(await adapter.get('key 0')).toBeUndefined()
  await adapter.deleteByTag('hot')
  expect(await adapter.get('hot')).toBeUndefined()
})

test('values of all sizes find room, each at once', async () => {
  const seed = newSeed()
  const random = randomFrom(seed)
  const { adapter, path, size } = opened({ maxBytes: 2 * MiB })
  for (let i = 0; i < 300; i++) {
    const value = new Uint8Array(random(5) === 0 ? random(1.75 * MiB) : random(5_000)).fill(i)
    await adapter.set(`key ${i}`, value, { tags: ['all'] })
    const read = await adapter.get(`key ${i}`)
    expect(read && Buffer.compare(read, value), `seed ${seed}, ${i}`).toBe(0)
    expect(size()).toBeLessThanOrEqual(2 * MiB)
  }
  expect(faultsIn(path)).toEqual([])
})

test('a value that can not fit is refused, and nothing is lost', async () => {
  const { adapter } = opened({ maxBytes: MiB })
  await adapter.set('key', VALUE)
  await expect(adapter.set('key', new Uint8Array(MiB))).rejects.toMatchObject({
    code: 'L2_FULL',
    message: expect.stringContaining('maxBytes'),
  })
  expect(await adapter.get('key')).toEqual(VALUE)
})

test.each([
  ['a long key', 1, 'k'.repeat(60_000), []],
  ['many tags', 4, 'key', Array.from({ length: 10_000 }, (_, i) => `${i}`.padEnd(40, '.'))],
  ['long tags', 8, 'key', Array.from({ length: 16 }, (_, i) => `${i}`.padEnd(60_000, '.'))],
])('%s finds room in a full file', async (_, megabytes, key, tags) => {
  const { adapter, size } = opened({ maxBytes: megabytes * MiB })
  await fill(adapter, megabytes * 1_000)
  for (let i = 0; i < 3; i++) {
    await adapter.set(`${key}${i}`, VALUE, { tags: tags.map(tag => `${tag}${i}`) })
    expect(await adapter.get(`${key}${i}`)).toEqual(VALUE)
  }
  expect(size()).toBeLessThanOrEqual(megabytes * MiB)
})

test('a value of 16 MiB finds room among small ones', async () => {
  const { adapter, path } = opened({ maxBytes: 48 * MiB })
  await fill(adapter, 40_000)
  const value = new Uint8Array(16 * MiB).fill(7)
  await adapter.set('large', value)
  const read = await adapter.get('large')
  expect(read && Buffer.compare(read, value)).toBe(0)
  expect(rowsIn(path).entry).toBeGreaterThan(5_000)
})

test('an entry that can not fit with its tags is refused, and nothing is lost', async () => {
  const { adapter } = opened({ maxBytes: 4 * MiB })
  await fill(adapter, 100)
  const tags = Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(20_000, '.'))
  await expect(adapter.set('key', new Uint8Array(3.4 * MiB), { tags })).rejects.toMatchObject({
    code: 'L2_FULL',
    retryable: false,
  })
  expect(await adapter.get('key 0')).toEqual(VALUE)
})

test('a file that is larger already is brought down by a sweep', async () => {
  const { adapter, open, path, size } = opened()
  await fill(adapter, 8_000)
  await adapter.close()
  expect(size()).toBeGreaterThan(8 * MiB)
  const bounded = open({ maxBytes: 3 * MiB })
  await bounded.sweep()
  await bounded.close()
  expect(size()).toBeLessThanOrEqual(3 * MiB)
  expect(rowsIn(path).entry).toBeGreaterThan(1_000)
  const again = open({ maxBytes: 3 * MiB })
  await fill(again, 5_000, 8_000)
  expect(size()).toBeLessThanOrEqual(3 * MiB)
  expect(await again.get('key 12999')).toEqual(VALUE)
  expect(faultsIn(path)).toEqual([])
})

test('several processes keep one file within its bound', async () => {
  const { path, size } = opened()
  const children = await Promise.all(Array.from({ length: 3 }, () => startChild()))
  const seed = newSeed()
  const work = { keys: 20_000, tags: 50, end: Date.now() + 3_000 }
  const options = { path, maxBytes: 2 * MiB, sweepInterval: 100 }
  const reports = await Promise.all(
    children.map((child, at) =>
      child.do<{ failures: string[] }>('churn', [options, { ...work, seed: seed + at }]),
    ),
  )
  expect(
    reports.flatMap(({ failures }) => failures),
    `seed ${seed}`,
  ).toEqual([])
  expect(size()).toBeLessThanOrEqual(2 * MiB)
  expect(faultsIn(path)).toEqual([])
})

test('the log stays bounded while everything is written again and again', async () => {
  const { adapter, path } = opened()
  let longest = 0
  for (let round = 0; round < 12; round++) {
    await fill(adapter, 5_000, 0, new Uint8Array(2_000))
    longest = Math.max(longest, statSync(`${path}-wal`).size)
  }
  // Over 200 MB were written.
  expect(longest).toBeLessThan(64 * MiB)
  await adapter.close()
  expect(faultsIn(path)).toEqual([])
})

test.each([
  ['1 MiB', TypeError],
  [Number.NaN, RangeError],
  [-1, RangeError],
  [1_000, RangeError],
  [Number.POSITIVE_INFINITY, RangeError],
])('maxBytes of %s is refused', (maxBytes, error) => {
  expect(() => new SqliteAdapter({ path: ':memory:', maxBytes: maxBytes as number })).toThrow(error)
})

test('a database in memory is bounded too', async () => {
  await using adapter = new SqliteAdapter({ path: ':memory:', maxBytes: MiB })
  await fill(adapter, 3_000)
  expect(await adapter.get('key 2999')).toEqual(VALUE)
  expect(await adapter.get('key 0')).toBeUndefined()
})
