import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startPgBouncer } from '../scripts/services/pgbouncer.mjs'
import { startPostgresServer } from '../scripts/services/postgres.mjs'
import { ServerHost } from '../scripts/services/server-host.mjs'

let host: ServerHost
let server: Awaited<ReturnType<typeof startPostgresServer>>
beforeAll(async () => {
  host = await ServerHost.open()
  server = await startPostgresServer(host, () => {}, ['work_mem=1MB'])
  await ask('CREATE TABLE logged (x int); CREATE UNLOGGED TABLE unlogged (x int)')
})
afterAll(() => host.close())

async function ask(sql: string, url = server.url): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows
  } finally {
    await client.end()
  }
}

const COUNTS = 'SELECT (SELECT count(*)::int FROM logged), (SELECT count(*)::int FROM unlogged)'

test.each(['kill', 'stopAtOnce'] as const)(
  '%s is a crash: unlogged tables are empty',
  async end => {
    await ask('TRUNCATE logged; INSERT INTO logged VALUES (1); INSERT INTO unlogged VALUES (1)')
    await server[end]()
    await expect(ask('SELECT 1')).rejects.toThrow('ECONNREFUSED')
    await server.startAgain()
    expect(await ask(COUNTS)).toEqual([[1, 0]])
  },
)

test('stop is none', async () => {
  await ask('TRUNCATE logged; INSERT INTO logged VALUES (1); INSERT INTO unlogged VALUES (1)')
  await server.stop()
  await server.startAgain()
  expect(await ask(COUNTS)).toEqual([[1, 1]])
})

test('it has the settings it was given, and its log has the SQLSTATE of each error', async () => {
  expect(await ask('SHOW work_mem')).toEqual([['1MB']])
  await expect(ask('SELECT 1 / 0')).rejects.toThrow('division by zero')
  expect(server.log()).toContain('22012 ERROR:  division by zero')
})

test('it can be a server in recovery', async () => {
  await server.stop()
  await server.startAgain({ standby: true })
  expect(await ask('SELECT pg_is_in_recovery()')).toEqual([[true]])
  await server.stop()
  await server.startAgain()
  expect(await ask('SELECT pg_is_in_recovery()')).toEqual([[false]])
})

test('PgBouncer in front of it ends and starts again', async ({ skip }) => {
  const settings = ['default_pool_size = 1']
  const bouncer = await startPgBouncer(host, () => {}, server.url, settings).catch(String)
  // As in packages/postgres: where none can be had, the test of the adapter says so.
  if (typeof bouncer === 'string') return skip(bouncer)
  const backend = 'SELECT pg_backend_pid()'
  expect(await ask(backend, bouncer.url)).toEqual(await ask(backend, bouncer.url))
  await bouncer.kill()
  await expect(ask(backend, bouncer.url)).rejects.toThrow('ECONNREFUSED')
  await bouncer.startAgain()
  expect(await ask(backend, bouncer.url)).toHaveLength(1)
})
