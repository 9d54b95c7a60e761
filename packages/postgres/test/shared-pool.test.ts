import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { openAdapter } from './support/adapters.js'
import { postgresUrl } from './support/postgres-server.mjs'
import { bytes, text } from './support/text.js'

function openPool(config: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: postgresUrl(), ...config })
  onTestFinished(() => pool.end())
  return pool
}

test('one connection is enough for everything at once', async () => {
  const pool = openPool({ max: 1 })
  const adapter = openAdapter({ pool })
  const keys = Array.from({ length: 300 }, (_, i) => `k${i}`)
  await Promise.all([
    ...keys.map(key => adapter.set(key, bytes(key), { tags: ['t', key] })),
    ...keys.map(async key => expect(text(await adapter.get(key))).toBe(key)),
    adapter.deleteByTag('other'),
    adapter.sweep(),
    adapter.ping(),
    pool.query('SELECT 1'),
  ])
  await Promise.all([adapter.deleteByTag('t'), adapter.sweep(), adapter.clear(), adapter.ping()])
  expect(await adapter.get('k0')).toBe(undefined)
  expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([1, 1, 0])
})

test('an application that throws away what was prepared disturbs nothing', async () => {
  const pool = openPool({ max: 1 })
  const adapter = openAdapter({ pool })
  for (let i = 0; i < 10; i++) {
    await adapter.set('k', bytes(`${i}`), { tags: ['t'] })
    await pool.query('DISCARD ALL')
    expect(text(await adapter.get('k'))).toBe(`${i}`)
    await pool.query('DEALLOCATE ALL')
    await Promise.all([adapter.delete('k'), adapter.ping()])
  }
})

test('parsers of the application are not asked', async () => {
  const types = { getTypeParser: () => () => 'something else' }
  const adapter = openAdapter({ pool: openPool({ types } as pg.PoolConfig) })
  await Promise.all(['a', 'b'].map(key => adapter.set(key, bytes(key), { tags: ['t'] })))
  const both = await Promise.all(['a', 'b'].map(key => adapter.get(key)))
  expect(both.map(text)).toEqual(['a', 'b'])
  await adapter.deleteByTag('t')
  expect(await adapter.get('a')).toBe(undefined)
  expect(await adapter.sweep()).toEqual({ removed: expect.any(Number) })
})

test.each([
  ['do not wait for answers', { pipeline: true }],
  ['have a query_timeout', { query_timeout: 2_000 }],
])('clients that %s serve as others do', async (_, config) => {
  const adapter = openAdapter({ pool: openPool(config as pg.PoolConfig) })
  const keys = Array.from({ length: 50 }, (_, i) => `k${i}`)
  await Promise.all(keys.map(key => adapter.set(key, bytes(key), { tags: ['t'] })))
  const all = await Promise.all(keys.map(key => adapter.get(key)))
  expect(all.map(text)).toEqual(keys)
  expect(text(await adapter.get('k1'))).toBe('k1')
  await adapter.delete('k1')
  expect(await adapter.get('k1')).toBe(undefined)
  await adapter.deleteByTag('t')
  expect(await adapter.get('k0')).toBe(undefined)
})

test('statements of old plans do not pile up', async () => {
  const pool = openPool({ max: 1 })
  const adapter = openAdapter({ pool })
  const end = performance.now() + 2_200
  while (performance.now() < end) await adapter.get(randomUUID())
  const { rows } = await pool.query(
    "SELECT name FROM pg_prepared_statements WHERE name LIKE 'l2_%'",
  )
  expect(rows).toHaveLength(1)
})
