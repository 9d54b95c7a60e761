import { type Call, L2Error } from '@l2/core'
import { bucketOf, type Keyspace } from './redis-keys.js'
import { newEpoch, taggedRecord, tagsIn, untaggedRecord, valueIn } from './redis-record.js'
import type { Route, Sender } from './redis-route.js'
import { COMMIT, PING, PRUNE, type Script, SET } from './redis-scripts.js'

/**
 * From this size on, in bytes, a value with tags goes past Lua, which copies it several times: at
 * 32 KiB that takes Redis twice as long as a SET takes (measured), below 16 KiB hardly longer.
 */
const LARGE = 16_384

/** How long a draft may live, in ms, when its writer dies before the next command. */
const DRAFT_TTL = '60000'

/** Where the tags of an entry end, in bytes, as a rule: what comes with it is not needed. */
const HEAD = 255

/** What Redis takes in one string, by default (`proto-max-bulk-len`), less room for tags. */
const MAX_VALUE = 511 * 1024 * 1024

/** @throws L2Error `L2_UNSUPPORTED` where Redis would not take the value. */
export function checkSize(value: Uint8Array): void {
  if (value.length > MAX_VALUE)
    throw new L2Error('L2_UNSUPPORTED', 'set: the value is larger than Redis takes (512 MiB).')
}

/** The operations on one key, each one round trip and atomic. */
export class RedisStore {
  readonly #route: Route
  readonly #keys: Keyspace

  constructor(route: Route, keys: Keyspace) {
    this.#route = route
    this.#keys = keys
  }

  get(key: string, call: Call): Promise<Uint8Array | undefined> {
    const bucket = bucketOf(key)
    return this.#route.use(bucket, call, (connection, moving) =>
      moving > 0
        ? this.#getApart(bucket, key, call)
        : connection
            .send(call, 'mget', [this.#keys.record(bucket, key), this.#keys.fence(bucket)])
            .then(valueFrom),
    )
  }

  set(
    key: string,
    value: Uint8Array,
    ttl: number,
    tags: readonly string[],
    call: Call,
  ): Promise<unknown> {
    return this.#route.use(bucketOf(key), call, (connection, moving) => {
      if (tags.length === 0) return this.#setUntagged(connection, key, value, ttl, call)
      const sorted = [...tags].sort()
      // While the bucket is being moved, each attempt would leave a draft behind.
      return value.length < LARGE || moving > 0
        ? this.#setTagged(connection, SET, key, value, ttl, sorted, call)
        : this.#setLarge(connection, key, value, ttl, sorted, call)
    })
  }

  /**
   * Removes the record; what the index has of it goes afterwards, and nobody waits for that: members
   * that are not true any more do no harm, and a sweep would find them. So no script is needed where
   * there are no tags, and an entry with tags is gone after one round trip too.
   */
  delete(key: string, call: Call): Promise<unknown> {
    const bucket = bucketOf(key)
    const record = this.#keys.record(bucket, key)
    return this.#route.use(bucket, call, connection => {
      const head = connection.send(call, 'getrange', [record, '0', String(HEAD - 1)])
      head.then(
        answer => this.#forget(connection, bucket, record, answer as Buffer),
        // It fails with the connection, as the next command does, or is no string: no record of ours.
        () => {},
      )
      return connection.send(call, 'unlink', [record])
    })
  }

  /** Proves that each node that has keys of ours takes writes. */
  async ping(call: Call): Promise<void> {
    const heads = await this.#route.heads(call)
    await Promise.all(
      heads.map(bucket =>
        this.#route.use(bucket, call, connection =>
          connection.run(call, PING, [this.#keys.probe(bucket)], []),
        ),
      ),
    )
  }

  /**
   * A bucket that is being moved has some of its keys here, some there, and no MGET of both. An epoch
   * never comes back: where the fence has the record's, it has had it since the record was written.
   */
  async #getApart(bucket: number, key: string, call: Call): Promise<Uint8Array | undefined> {
    const names = [this.#keys.record(bucket, key), this.#keys.fence(bucket)]
    const answer = await Promise.all(
      names.map(name =>
        this.#route.use(bucket, call, connection => connection.send(call, 'get', [name])),
      ),
    )
    return valueFrom(answer)
  }

  // The members of tags that the entry had stay in the index until a sweep: they are true no more.
  #setUntagged(
    connection: Sender,
    key: string,
    value: Uint8Array,
    ttl: number,
    call: Call,
  ): Promise<unknown> {
    const record = this.#keys.record(bucketOf(key), key)
    const expiry = ttl === 0 ? [] : ['PX', String(ttl)]
    return connection.send(call, 'set', [record, untaggedRecord(value), ...expiry])
  }

  #setTagged(
    connection: Sender,
    script: Script,
    key: string,
    value: Uint8Array,
    ttl: number,
    tags: readonly string[],
    call: Call,
    spare = newEpoch(),
  ): Promise<unknown> {
    const bucket = bucketOf(key)
    const keys = this.#bucketKeys(bucket, key)
    if (script === COMMIT) keys.push(this.#keys.draft(bucket, spare))
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    const start = this.#keys.keyStart(bucket)
    return connection.run(call, script, keys, [String(ttl), spare, start, bytes, ...tags])
  }

  async #setLarge(
    connection: Sender,
    key: string,
    value: Uint8Array,
    ttl: number,
    tags: readonly string[],
    call: Call,
  ): Promise<void> {
    const epoch = newEpoch()
    const draft = this.#keys.draft(bucketOf(key), epoch)
    const record = taggedRecord(epoch, tags, value)
    const drafted = connection.send(call, 'set', [draft, record, 'PX', DRAFT_TTL])
    const committed = this.#setTagged(connection, COMMIT, key, NOTHING, ttl, tags, call, epoch)
    const [first, second] = await Promise.allSettled([drafted, committed])
    if (first.status === 'rejected') throw first.reason
    if (second.status === 'rejected') {
      // Where it has moved to another node meanwhile, it expires there.
      if (connection.isOpen) await connection.send(call, 'unlink', [draft]).catch(() => {})
      throw second.reason
    }
    // Evicted, or removed by a clear(), in the moment between.
    if (second.value !== 0) return
    // Others may wait with it whose callers have not been told yet: to them it must not pass for done.
    if (call.abandoned) throw new Error('given up before it was stored')
    await this.#setTagged(connection, SET, key, value, ttl, tags, call)
  }

  /** Has the members go that a record had which began with `head`, unless they are true again. */
  #forget(connection: Sender, bucket: number, record: string, head: Buffer): void {
    const tags = tagsIn(head)
    if (tags.length === 0 || !connection.isOpen) return
    const keys = [this.#keys.fence(bucket), this.#keys.index(bucket), ...tags.map(() => record)]
    connection.run(UNAWAITED, PRUNE, keys, [this.#keys.keyStart(bucket), ...tags]).catch(() => {})
  }

  #bucketKeys(bucket: number, key: string): string[] {
    return [this.#keys.record(bucket, key), this.#keys.fence(bucket), this.#keys.index(bucket)]
  }
}

const NOTHING = new Uint8Array()

const UNAWAITED: Call = { abandoned: false, background: true, onAbandon: () => {} }

const valueFrom = (answer: unknown): Uint8Array | undefined => {
  const [record, fence] = answer as (Buffer | null)[]
  return valueIn(record ?? null, fence ?? null)
}
