import {
  type Awaitable,
  type Backend,
  type Call,
  type Failure,
  GuardedAdapter,
  type ResolvedAdapterOptions,
} from '@l2/core'
import { PostgresBulk } from './postgres-bulk.js'
import { resolveLayout } from './postgres-checks.js'
import { PostgresClient } from './postgres-client.js'
import { checkSize, describeError } from './postgres-errors.js'
import { Fence } from './postgres-fence.js'
import { Keyspace } from './postgres-keys.js'
import { type PostgresAdapterOptions, poolOf } from './postgres-options.js'
import { PostgresSchema } from './postgres-schema.js'
import { type Statements, statementsFor } from './postgres-sql.js'
import { PostgresStore } from './postgres-store.js'

/**
 * The contract over a PostgreSQL, version 14 or later, that any number of processes share, direct or
 * behind a pooler such as PgBouncer.
 *
 * Connects at the first call, and makes its tables there where they are missing. Calls that are made
 * together share statements, as do those made while others are under way; each statement is atomic. A
 * lone `get`, `set` or `delete` is one round trip. Bulk calls are slices of about 40 ms of the server's
 * time. Expiry is by the server's clock.
 *
 * Failures are an `L2Error`: `L2_UNAVAILABLE` (no connection, or lost; credentials refused),
 * `L2_TIMEOUT`, `L2_READ_ONLY` (a replica, or read-only by configuration), `L2_FULL` (disk or memory of
 * the server), `L2_UNSUITABLE_BACKEND` (too old, a right is missing, no such database, another isolation
 * level), `L2_SCHEMA_MISMATCH` (tables that are missing or of another version), `L2_CORRUPT_STORE`,
 * `L2_UNSUPPORTED` (a value over 255 MiB). README.md has the remedies.
 *
 * @example
 * await using adapter = new PostgresAdapter({ url: 'postgres://localhost/app' })
 * await adapter.set('user:1', bytes, { ttl: 60_000, tags: ['users'] })
 */
export class PostgresAdapter extends GuardedAdapter {
  /** @throws TypeError, RangeError where an option is not what it should be. */
  constructor(options: PostgresAdapterOptions) {
    super(options, resolved => new PostgresBackend(options, resolved))
  }
}

class PostgresBackend implements Backend {
  readonly readsAreFresh = true
  readonly #keys: Keyspace
  readonly #sql: Statements
  readonly #client: PostgresClient
  readonly #schema: PostgresSchema
  readonly #store: PostgresStore
  readonly #bulk: PostgresBulk

  constructor(options: PostgresAdapterOptions, { prefix, timeout }: ResolvedAdapterOptions) {
    const layout = resolveLayout(options)
    this.#keys = new Keyspace(prefix)
    this.#sql = statementsFor(layout)
    this.#client = new PostgresClient(poolOf(options, timeout), timeout)
    this.#schema = new PostgresSchema(this.#client, layout, options?.migrate)
    const fence = new Fence(this.#client)
    this.#store = new PostgresStore(this.#client, this.#schema, fence, this.#sql)
    this.#bulk = new PostgresBulk(
      this.#client,
      this.#schema,
      fence,
      this.#sql,
      this.#keys,
      layout.entries,
    )
  }

  get(key: string, call: Call): Promise<Uint8Array | undefined> {
    return this.#store.get(key, this.#keys.row(key), call)
  }

  set(
    key: string,
    value: Uint8Array,
    ttl: number,
    tags: readonly string[],
    call: Call,
  ): Promise<void> {
    checkSize(value)
    return this.#store.set(key, this.#keys.row(key), value, ttl, this.#keys.tags(tags), call)
  }

  delete(key: string, call: Call): Promise<void> {
    return this.#store.delete(key, this.#keys.row(key), call)
  }

  async *deleteByTag(tag: string, call: Call): AsyncGenerator<number, void> {
    await this.#store.idle()
    yield* this.#bulk.removeTagged(tag, call)
  }

  async *clear(call: Call): AsyncGenerator<number, void> {
    await this.#store.idle()
    yield* this.#bulk.removeAll(call)
  }

  sweep(call: Call): AsyncGenerator<number, void> {
    return this.#bulk.sweep(call)
  }

  async ping(call: Call): Promise<void> {
    if (!this.#schema.isReady) await this.#schema.ready()
    await this.#client.use([call], ({ connection }) => connection.query(this.#sql.ping, []))
  }

  close(): Awaitable<void> {
    return this.#client.close()
  }

  describe(error: unknown): Failure | undefined {
    const failure = describeError(error)
    // Tables that were there have been dropped, or replaced.
    if (failure?.code === 'L2_SCHEMA_MISMATCH') this.#schema.forget()
    return failure
  }
}
