import {
  type AdapterOptions,
  type Awaitable,
  type Backend,
  type Call,
  type Failure,
  GuardedAdapter,
  type ResolvedAdapterOptions,
} from '@l2/core'
import type { RedisOptions } from 'ioredis'
import { RedisBulk } from './redis-bulk.js'
import { RedisClient } from './redis-client.js'
import { describeError, isReplica } from './redis-errors.js'
import { Keyspace } from './redis-keys.js'
import { connectionOf, type RedisConnectionOptions } from './redis-options.js'
import { CallQueue } from './redis-queue.js'
import { RedisStore } from './redis-store.js'

/** What `new RedisAdapter()` takes: how to connect, in one of three ways, and what all adapters take. */
export type RedisAdapterOptions = AdapterOptions & RedisConnectionOptions

/**
 * The contract over one Redis or Valkey, version 6.2 or later, that any number of processes share.
 *
 * Connects at the first call, with one connection of its own in each of the three ways, and again at
 * the next call where that failed or ended. Calls made in one turn of the event loop go out in one
 * write. `get`, `set` and `delete` are one round trip each and atomic, as a command or a script; bulk
 * calls are slices of about 1 ms of Redis's time. Whatever is evicted, an entry that can be read can
 * be removed by each of its tags; where Redis evicts bookkeeping, a 64th of the tagged entries become
 * misses. A failover may lose the last writes, invalidations among them: Redis replicates
 * asynchronously.
 *
 * Failures are an `L2Error`: `L2_UNAVAILABLE` (no connection, or lost; credentials refused),
 * `L2_TIMEOUT`, `L2_READ_ONLY` (a replica, or a disk that fails), `L2_FULL` (`maxmemory`),
 * `L2_UNSUITABLE_BACKEND` (too old, a Sentinel or Cluster node, a user without rights),
 * `L2_SCHEMA_MISMATCH` (another version of this package), `L2_CORRUPT_STORE` (others write under the
 * prefix), `L2_UNSUPPORTED` (a value over 511 MiB). README.md has the remedies.
 *
 * @example
 * await using adapter = new RedisAdapter({ url: 'redis://localhost' })
 * await adapter.set('user:1', bytes, { ttl: 60_000, tags: ['users'] })
 */
export class RedisAdapter extends GuardedAdapter {
  /** @throws TypeError, RangeError where an option is not what it should be. */
  constructor(options: RedisAdapterOptions) {
    super(options, resolved => new RedisBackend(connectionOf(options), resolved))
  }
}

class RedisBackend implements Backend {
  readonly #client: RedisClient
  readonly #store: RedisStore
  readonly #bulk: RedisBulk
  readonly #queue = new CallQueue()

  constructor(connection: () => RedisOptions, { prefix, timeout }: ResolvedAdapterOptions) {
    const keys = new Keyspace((connection().keyPrefix ?? '') + prefix)
    this.#client = new RedisClient(connection, timeout, keys.probe)
    this.#store = new RedisStore(this.#client, keys)
    this.#bulk = new RedisBulk(this.#client, keys)
  }

  get(key: string, call: Call): Promise<Uint8Array | undefined> {
    return this.#queue.read(key, call, () => this.#store.get(key, call))
  }

  set(
    key: string,
    value: Uint8Array,
    ttl: number,
    tags: readonly string[],
    call: Call,
  ): Promise<void> {
    return this.#write(key, call, () => this.#store.set(key, value, ttl, tags, call))
  }

  delete(key: string, call: Call): Promise<void> {
    return this.#write(key, call, () => this.#store.delete(key, call))
  }

  async *deleteByTag(tag: string, call: Call): AsyncGenerator<number, void> {
    await this.#queue.idle()
    yield* this.#bulk.removeTagged(tag, call)
  }

  async *clear(call: Call): AsyncGenerator<number, void> {
    await this.#queue.idle()
    yield* this.#bulk.removeAll(call)
  }

  /** Redis removes what has expired by itself; what is left of it in the indexes goes here. */
  sweep(call: Call): AsyncGenerator<number, void> {
    return call.background ? this.#bulk.pruneSamples(call) : this.#bulk.prune(call)
  }

  async ping(call: Call): Promise<void> {
    await this.#store.ping(call)
  }

  close(): Awaitable<void> {
    this.#client.close()
  }

  describe(error: unknown): Failure | undefined {
    // A primary that has become a replica: its place may have a new one by now, and its reads lag.
    if (isReplica(error)) this.#client.reconnect()
    return describeError(error)
  }

  /** What Redis answers is nothing to the caller, and the guard does not pass it on. */
  #write(key: string, call: Call, send: () => Promise<unknown>): Promise<void> {
    return this.#queue.write(key, call, send) as Promise<void>
  }
}
