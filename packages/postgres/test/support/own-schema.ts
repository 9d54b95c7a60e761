import { randomUUID } from 'node:crypto'
import { PostgresAdapter, type PostgresAdapterOptions } from '@l2/postgres'
import pg from 'pg'
import { expect, onTestFinished } from 'vitest'
import { entryTable, tagTable } from './tables.js'

/** What a test may say of an adapter. */
export type Options = Partial<PostgresAdapterOptions>

/** A schema for one test, and what looks into it. */
export interface OwnSchema {
  readonly url: string
  readonly schema: string
  /** An adapter, closed when the test is over. */
  open(options?: Options): PostgresAdapter
  /** A session of our own, to disturb. */
  session(): Promise<pg.Client>
  /** How many rows the tables have. */
  rows(): Promise<{ entry: number; tag: number }>
  /** Holds the rows of all entries until it is told to let go. */
  holdEntries(): Promise<() => Promise<void>>
  /** The processes of the server that wait for a lock. */
  waiting(): Promise<number[]>
  /** Waits until so many do. */
  untilWaiting(count: number): Promise<void>
}

/** Which a test has to itself on this Postgres. The server should be of the file: locks are counted. */
export async function ownSchema(
  url: string,
  schema = `test_${randomUUID().slice(0, 8)}`,
): Promise<OwnSchema> {
  // A pool, for tests in which the server ends.
  const raw = new pg.Pool({ connectionString: url, max: 2 })
  raw.on('error', () => {})
  onTestFinished(() => raw.end())
  const entries = entryTable(schema)
  const tags = tagTable(schema)
  return {
    url,
    schema,
    open(options = {}) {
      const way = 'pool' in options || 'connection' in options ? {} : { url }
      const all = { schema, sweepInterval: 0, ...way, ...options } as PostgresAdapterOptions
      const adapter = new PostgresAdapter(all)
      onTestFinished(() => adapter.close())
      return adapter
    },
    session: () => session(url),
    async rows() {
      const { rows } = await raw.query(
        `SELECT (SELECT count(*)::int FROM ${entries}) entry, (SELECT count(*)::int FROM ${tags}) tag`,
      )
      return rows[0]
    },
    async holdEntries() {
      const holder = await session(url)
      await holder.query(`BEGIN; SELECT 1 FROM ${entries} FOR UPDATE`)
      return () => holder.end()
    },
    waiting: () => waiting(raw),
    async untilWaiting(count) {
      await expect.poll(() => waiting(raw), { timeout: 5_000, interval: 5 }).toHaveLength(count)
    },
  }
}

/** A session for one test. */
export async function session(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end().catch(() => {}))
  return client
}

async function waiting(raw: pg.Pool): Promise<number[]> {
  const { rows } = await raw.query(
    "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' ORDER BY pid",
  )
  return rows.map(({ pid }) => pid)
}
