import {
  type AdapterOptions,
  type Awaitable,
  type Backend,
  type Call,
  type Failure,
  GuardedAdapter,
  type ResolvedAdapterOptions,
} from '@l2/core'
import { RedisBulk } from './redis-bulk.js'
import { RedisClient } from './redis-client.js'
import { RedisCluster } from './redis-cluster.js'
import { describeError, isReplica } from './redis-errors.js'
import { Keyspace } from './redis-keys.js'
import {
  type ClusterPlace,
  connectionOf,
  type Place,
  type RedisConnectionOptions,
} from './redis-options.js'
import { CallQueue } from './redis-queue.js'
import type { Route } from './redis-route.js'
import { checkSize, RedisStore } from './redis-store.js'

/** What `new RedisAdapter()` takes: how to connect, in one of three ways, and what all adapters take. */
export type RedisAdapterOptions = AdapterOptions & RedisConnectionOptions

/**
 * The contract over a Redis or Valkey, version 6.2 or later, that any number of processes share: one
 * primary, alone or behind Sentinels, or a Redis Cluster.
 *
 * Connects at the first call, with a connection of its own to each primary, and again at the next call
 * where that failed or ended. Calls made in one turn of the event loop go out in few
 * writes. `get`, `set` and `delete` are one round trip each and atomic, as a command or a script; bulk
 * calls are slices of about 1 ms of Redis's time. Whatever is evicted, an entry that can be read can
 * be removed by each of its tags; where Redis evicts bookkeeping, a 64th of the tagged entries become
 * misses. A failover may lose the last writes, invalidations among them: Redis replicates
 * asynchronously.
 *
 * Failures are an `L2Error`: `L2_UNAVAILABLE` (no connection, or lost; credentials refused),
 * `L2_TIMEOUT`, `L2_READ_ONLY` (a replica, or a disk that fails), `L2_FULL` (`maxmemory`),
 * `L2_UNSUITABLE_BACKEND` (too old, not what was named, no such database, a user without rights),
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
  readonly #route: Route
  readonly #store: RedisStore
  readonly #bulk: RedisBulk
  readonly #queue: CallQueue

  constructor(place: () => Place, { prefix, timeout }: ResolvedAdapterOptions) {
    const { keyPrefix, seeds } = place()
    const keys = new Keyspace(keyPrefix + prefix)
    const inCluster = seeds !== undefined
    this.#route = inCluster
      ? new RedisCluster(place as () => ClusterPlace, timeout, keys)
      : new RedisClient(() => place().each, timeout, keys.probe(0))
    this.#queue = new CallQueue(inCluster)
    this.#store = new RedisStore(this.#route, keys)
    this.#bulk = new RedisBulk(this.#route, keys)
  }

  get(key: string, call: Call): Promise<Uint8Array | undefined> {
    return this.#queue.read(key, call, one => this.#store.get(key, one))
  }

  set(
    key: string,
    value: Uint8Array,
    ttl: number,
    tags: readonly string[],
    call: Call,
  ): Promise<void> {
    // Not when its turn comes: others would wait for a call that can not be made.
    checkSize(value)
    return this.#write(key, call, one => this.#store.set(key, value, ttl, tags, one))
  }

  delete(key: string, call: Call): Promise<void> {
    return this.#write(key, call, one => this.#store.delete(key, one))
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

  ping(call: Call): Promise<void> {
    return this.#store.ping(call)
  }

  close(): Awaitable<void> {
    this.#route.close()
  }

  describe(error: unknown): Failure | undefined {
    // A primary that has become a replica: its place may have a new one by now, and its reads lag.
    if (isReplica(error)) this.#route.reconnect()
    return describeError(error)
  }

  /** What Redis answers is nothing to the caller, and the guard does not pass it on. */
  #write(key: string, call: Call, send: (call: Call) => Promise<unknown>): Promise<void> {
    return this.#queue.write(key, call, send) as Promise<void>
  }
}
