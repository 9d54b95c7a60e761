import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Adapter, MemoryAdapter, MemoryStorage } from '@l2/core'
import { PostgresAdapter } from '@l2/postgres'
import { RedisAdapter } from '@l2/redis'
import { SqliteAdapter } from '@l2/sqlite'
import { onTestFinished } from 'vitest'
import { serverUrl } from '../../../../test/server-url.js'
import { TripCounter } from './trip-counter.js'

/** Any adapter of ours. */
type Opened = Adapter & { close(): Promise<void> }

/** A place in a backend that one test has to itself, empty. */
export interface Place {
  /** An adapter as another process has it. Closed when the test is over. */
  open(): Opened
  /** The same, and how often it asked the server so far; without a server there is nothing to count. */
  openCounted(): Promise<{ adapter: Opened; trips?: () => number }>
}

type Connect = (url: string | undefined) => Opened

/** What every test runs over. */
export const backends: Record<string, () => Place> = {
  Memory: () => {
    const storage = new MemoryStorage()
    return place(undefined, () => new MemoryAdapter({ storage, sweepInterval: 0 }))
  },
  SQLite: () => {
    const folder = mkdtempSync(join(tmpdir(), 'l2-cache-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'cache.db')
    return place(undefined, () => new SqliteAdapter({ path, sweepInterval: 0 }))
  },
  Postgres: () => {
    const prefix = newPrefix()
    return place(serverUrl('L2_POSTGRES_URL'), url => {
      return new PostgresAdapter({ url: url as string, prefix, sweepInterval: 0 })
    })
  },
  Redis: () => {
    const prefix = newPrefix()
    return place(serverUrl('L2_REDIS_URL'), url => {
      return new RedisAdapter({ url: url as string, prefix, sweepInterval: 0 })
    })
  },
}

const newPrefix = (): string => `test-${randomUUID()}:`

function place(url: string | undefined, connect: Connect): Place {
  if (url !== undefined)
    onTestFinished(async () => {
      const adapter = connect(url)
      await adapter.clear()
      await adapter.close()
    })
  const opened = (adapter: Opened): Opened => {
    onTestFinished(() => adapter.close())
    return adapter
  }
  return {
    open: () => opened(connect(url)),
    async openCounted() {
      if (url === undefined) return { adapter: opened(connect(url)) }
      const counter = await TripCounter.before(url)
      onTestFinished(() => counter.close())
      return { adapter: opened(connect(counter.url)), trips: () => counter.trips }
    },
  }
}
