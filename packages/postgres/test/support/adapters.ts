import { randomUUID } from 'node:crypto'
import { PostgresAdapter, type PostgresAdapterOptions } from '@l2/postgres'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { postgresUrl } from './postgres-server.mjs'

/** What a test may say of an adapter. */
type Options = Partial<PostgresAdapterOptions>

/** An adapter with a prefix of its own on the Postgres of the test command, closed when the test is over. */
export function openAdapter(options: Options = {}): PostgresAdapter {
  const way = 'pool' in options || 'connection' in options ? {} : { url: postgresUrl() }
  const prefix = `test-${randomUUID()}:`
  const all = { prefix, sweepInterval: 0, ...way, ...options } as PostgresAdapterOptions
  const adapter = new PostgresAdapter(all)
  onTestFinished(async () => {
    await adapter.clear().catch(() => {})
    await adapter.close()
  })
  return adapter
}

/** A session of our own for one test. */
export async function openSession(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: postgresUrl() })
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end())
  return client
}
