import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { TcpProxy } from '../../core/test/support/tcp-proxy.mjs'
import { openAdapter, openSession } from './support/adapters.js'
import { postgresUrl } from './support/postgres-server.mjs'

/** Of an adapter whose close() would wait for a connection that takes longer, in ms. */
const SHORT = 500

test('close() does not wait for a connection that is being made', async () => {
  const { hostname, port } = new URL(postgresUrl())
  const proxy = await new TcpProxy({ host: hostname, port: Number(port || 5432) }).listen()
  onTestFinished(() => proxy.close())
  proxy.stall()
  const url = new URL(postgresUrl())
  url.hostname = '127.0.0.1'
  url.port = String(proxy.port)
  const connection = { connectionString: url.href, connectionTimeoutMillis: 20_000 }
  const adapter = openAdapter({ connection, timeout: SHORT })
  const call = adapter.get('k')
  await expect.poll(() => proxy.connections).toBe(1)
  await expect(call).rejects.toMatchObject({ code: 'L2_TIMEOUT' })
  await adapter.close()
})

test('a connection of your pool that is free when the adapter is closed is left alone', async () => {
  const pool = new pg.Pool({ connectionString: postgresUrl(), max: 1 })
  onTestFinished(() => pool.end())
  const mine = await pool.connect()
  const adapter = openAdapter({ pool })
  const call = adapter.get('k', { signal: AbortSignal.timeout(20) })
  await expect(call).rejects.toMatchObject({ name: 'TimeoutError' })
  await adapter.close()
  const { rows } = await mine.query('SELECT pg_backend_pid() AS mine')
  mine.release()
  // Whoever waited before us had it before us.
  const again = await pool.connect()
  again.release()
  const raw = await openSession()
  const last = await raw.query('SELECT query FROM pg_stat_activity WHERE pid = $1', [rows[0].mine])
  expect(last.rows).toEqual([{ query: 'SELECT pg_backend_pid() AS mine' }])
})
