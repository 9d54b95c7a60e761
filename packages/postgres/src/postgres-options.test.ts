import { inspect } from 'node:util'
import pg from 'pg'
import { expect, test } from 'vitest'
import { PostgresAdapter } from './postgres-adapter.js'
import { migrationSql } from './postgres-schema.js'

const URL = 'postgres://user:secret@localhost/app'

const open = (options: unknown) => () => new PostgresAdapter(options as { url: string })

test.each([
  [undefined, /options must have one of url, connection and pool/],
  [{}, /options must have one of url, connection and pool/],
  [{ url: URL, pool: new pg.Pool() }, /options must have one of/],
  [{ url: 'mysql://localhost' }, /^url must be/],
  [{ url: 7 }, /^url must be/],
  [{ url: 'postgres://user:100%@localhost' }, /^url must have user name and password/],
  [{ connection: null }, /^connection must be/],
  [{ connection: { host: 7 } }, /^host must be/],
  [{ connection: { port: 70_000 } }, /^port must be/],
  [{ connection: { max: 0 } }, /^max must be/],
  [{ connection: { binary: true } }, /^connection must not have `binary`/],
  [{ pool: new pg.Client() }, /^pool must be/],
  [{ pool: new pg.Pool({ binary: true } as pg.PoolConfig) }, /^pool must not have `binary`/],
  [{ url: URL, schema: '' }, /^schema must not be empty/],
  [{ url: URL, schema: 7 }, /^schema must be a string/],
  [{ url: URL, schema: 'a\0' }, /^schema must not/],
  [{ url: URL, schema: '\ud800' }, /^schema must be well-formed/],
  [{ url: URL, tablePrefix: null }, /^tablePrefix must be a string/],
  [{ url: URL, migrate: 'yes' }, /^migrate must be one of auto, check, off/],
  [{ url: URL, logged: 1 }, /^logged must be true or false/],
  [{ url: URL, prefix: 7 }, /^prefix must be/],
  [{ url: URL, timeout: '5s' }, /^timeout must be/],
])('%j is refused by name', (options, message) => {
  expect(open(options)).toThrow(TypeError)
  expect(open(options)).toThrow(message)
})

test('a URL may leave out the host, as pg allows', () => {
  for (const url of [
    'postgres://user:p%25@/app?host=/tmp',
    'postgres:///app',
    'postgres://%2Ftmp/app',
  ])
    open({ url })()
  expect(open({ url: 'postgres://user:100%@/app?host=/tmp' })).toThrow(/^url must have user name/)
})

test('names that Postgres would cut are refused, in bytes', () => {
  const longest = 63 - 'entries_expiry'.length
  open({ url: URL, tablePrefix: 'x'.repeat(longest), schema: 'é'.repeat(31) })()
  for (const options of [{ tablePrefix: 'x'.repeat(longest + 1) }, { schema: 'é'.repeat(32) }])
    expect(open({ url: URL, ...options })).toThrow(RangeError)
  expect(() => migrationSql({ schema: 'x'.repeat(64) })).toThrow(/^schema is too long/)
})

test('names are quoted', () => {
  const sql = migrationSql({ schema: 'a"; DROP TABLE x; --', tablePrefix: 'p"' })
  expect(sql).toContain('CREATE SCHEMA IF NOT EXISTS "a""; DROP TABLE x; --";')
  expect(sql).toContain('"a""; DROP TABLE x; --"."p""entries"')
})

test('no secret is shown', () => {
  const pool = new pg.Pool({ connectionString: URL, password: 'secret' })
  for (const options of [{ url: URL }, { connection: { password: 'secret' } }, { pool }]) {
    const adapter = open(options)()
    expect(inspect(adapter, { depth: 10, showHidden: true })).not.toContain('secret')
    expect(JSON.stringify(adapter)).not.toContain('secret')
  }
})
