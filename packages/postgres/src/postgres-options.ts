import type { AdapterOptions } from '@l2/core'
import pg, { type Pool, type PoolConfig } from 'pg'

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
type PostgresConnectionOptions = ByUrl | ByConnection | ByPool

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

/** What a connection attempt may take where the adapter has no `timeout`, in ms. */
const CONNECT_TIMEOUT = 10_000

/** And where it has one, which part of it: the deadline of the call that waits would say less. */
const CONNECT_SHARE = 0.95

const HIGHEST_PORT = 65_535

/** A pool, and whether it is ours to end. */
export interface PoolSource {
  readonly isOurs: boolean
  open(): Pool
}

/** Hears errors of idle connections, which would end the process. The pool drops them by itself. */
const onError = (): void => {}

/**
 * Tells how to get the pool. It is made when it is first needed.
 *
 * @throws TypeError where the options don't say how to connect in one way.
 */
export function poolOf(options: PostgresAdapterOptions, timeout: number): PoolSource {
  const { url, connection, pool } = options ?? {}
  if ([url, connection, pool].filter(one => one !== undefined).length !== 1)
    throw new TypeError('options must have one of url, connection and pool')
  if (pool !== undefined) {
    checkPool(pool)
    return { isOurs: false, open: () => listening(pool) }
  }
  const config =
    url === undefined ? checkedConnection(connection) : { connectionString: checkedUrl(url) }
  const connectionTimeoutMillis = Math.ceil(timeout * CONNECT_SHARE) || CONNECT_TIMEOUT
  const all = { connectionTimeoutMillis, ...config, allowExitOnIdle: true }
  return { isOurs: true, open: () => listening(new pg.Pool(all)) }
}

function listening(pool: Pool): Pool {
  // Once: it stays when this adapter is closed, and others may use the same pool.
  if (!pool.listeners('error').includes(onError)) pool.on('error', onError)
  return pool
}

function checkedUrl(url: unknown): string {
  // pg takes a URL without a host, which may come as a parameter: the directory of a socket.
  const whole = typeof url === 'string' ? url.replace('@/', '@localhost/') : ''
  if (typeof url !== 'string' || !/^postgres(ql)?:\/\//i.test(url) || !URL.canParse(whole))
    throw new TypeError('url must be a string that begins with postgres:// or postgresql://')
  const { username, password } = new URL(whole)
  if (!isEncoded(username) || !isEncoded(password))
    throw new TypeError('url must have user name and password percent-encoded: % is written %25')
  return url
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function checkedConnection(connection: unknown): PoolConfig {
  if (typeof connection !== 'object' || connection === null)
    throw new TypeError('connection must be an object: what new Pool() of pg takes')
  const { host, port, max } = connection as PoolConfig
  if (host !== undefined && typeof host !== 'string') throw new TypeError('host must be a string')
  if (port !== undefined && !isWhole(port, HIGHEST_PORT))
    throw new TypeError(`port must be an integer from 1 to ${HIGHEST_PORT}`)
  if (max !== undefined && !isWhole(max, Number.MAX_SAFE_INTEGER))
    throw new TypeError('max must be an integer from 1 on')
  checkFormat('connection', connection)
  return connection
}

const isWhole = (value: unknown, most: number): boolean =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most

/** @throws TypeError */
function checkPool(pool: unknown): void {
  const { connect, query, on, totalCount, options } = (pool ?? {}) as Partial<Pool>
  const isOne = [connect, query, on].every(one => typeof one === 'function')
  if (!isOne || typeof totalCount !== 'number')
    throw new TypeError('pool must be a Pool of pg: for one connection say `connection`')
  checkFormat('pool', options)
}

/** @throws TypeError */
function checkFormat(what: string, options: unknown): void {
  if ((options as { binary?: unknown } | undefined)?.binary)
    throw new TypeError(
      `${what} must not have \`binary\`: pg reads such answers as if they were text`,
    )
}
