import type { AdapterOptions } from '@l2/core'
import type { Pool, PoolConfig } from 'pg'

/** What `new PostgresAdapter()` takes: how to connect, in one of three ways, and the options below. */
export type PostgresAdapterOptions = AdapterOptions & LayoutOptions & PostgresConnectionOptions

/** Where the adapter's tables are, and what they are like. */
export interface LayoutOptions {
  /** The schema of the tables. Made where it is missing, by `migrate: 'auto'`. Default `'public'`. */
  readonly schema?: string | undefined
  /** What the names of the tables begin with. Default `'l2_'`. */
  readonly tablePrefix?: string | undefined
  /**
   * Whether entries survive a crash of the server, and reach its replicas: then every write goes
   * through the write-ahead log. Holds for the tables that this adapter makes. Default false.
   */
  readonly logged?: boolean | undefined
  /**
   * `'auto'` makes the tables where they are missing; `'check'` fails with `L2_SCHEMA_MISMATCH`
   * where they are missing or of another version; `'off'` does not look. Default `'auto'`.
   */
  readonly migrate?: 'auto' | 'check' | 'off' | undefined
}

/** How to connect. */
export type PostgresConnectionOptions = ByUrl | ByConnection | ByPool

interface ByUrl {
  /** `postgres://user:password@host:port/database`, with what else `pg` understands. */
  readonly url: string
  readonly connection?: undefined
  readonly pool?: undefined
}

interface ByConnection {
  /** What `new Pool()` of pg takes: `host`, `port`, `user`, `password`, `database`, `ssl`, `max`, … */
  readonly connection: PoolConfig
  readonly url?: undefined
  readonly pool?: undefined
}

interface ByPool {
  /**
   * A Pool of pg that you have. The adapter takes a connection for each batch of calls and gives it
   * back, handles the pool's errors while it is open, and does not end it.
   */
  readonly pool: Pool
  readonly url?: undefined
  readonly connection?: undefined
}
