import { type Call, L2Error } from '@l2/core'
import type { Errand } from './redis-batch.js'
import { bucketOf, type Keyspace } from './redis-keys.js'
import { newEpoch, taggedRecord, tagsIn, untaggedRecord, valueIn } from './redis-record.js'
import type { Route, Sender } from './redis-route.js'
import { COMMIT, PING, PRUNE, runScript, type Script, SET, UNLINK } from './redis-scripts.js'

/**
 * From this size on, in bytes, a value with tags goes past Lua, which copies it several times: at
 * 32 KiB that takes Redis twice as long as a SET takes (measured), below 16 KiB hardly longer.
 */
const LARGE = 16_384

/** How long a draft may live, in ms, when its writer dies before the next command. */
const DRAFT_TTL = '60000'

/** The byte before which the tags of an entry end, as a rule: what comes with them is not needed. */
const LAST = '254'

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
            .share(call, READ, [this.#keys.record(bucket, key), this.#keys.fence(bucket)])
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
   * that are not true any more do no harm, and a sweep would find them. So an entry with tags is gone
   * after one round trip too.
   */
  delete(key: string, call: Call): Promise<unknown> {
    const bucket = bucketOf(key)
    const record = this.#keys.record(bucket, key)
    return this.#route.use(bucket, call, async connection => {
      const head = await connection.share(call, UNLINK_HEAD, record)
      this.#forget(connection, bucket, record, head)
    })
  }

  /** Proves that each node that has keys of ours takes writes. */
  async ping(call: Call): Promise<void> {
    const heads = await this.#route.heads(call)
    await Promise.all(
      heads.map(bucket =>
        this.#route.use(bucket, call, connection =>
          runScript(connection, call, PING, [this.#keys.probe(bucket)], []),
        ),
      ),
    )
  }

  /**
   * A bucket that is being moved has some of its keys here, some there, and no MGET of both. An epoch
   * never comes back: where the fence has the record's, it has had it since the record was written.
   */
  async #getApart(bucket: number, key: string, call: Call): Promise<Uint8Array | undefined> {
    const get = (name: string): Promise<Buffer | null> =>
      this.#route.use(
        bucket,
        call,
        connection => connection.send(call, 'get', [name]) as Promise<Buffer | null>,
      )
    const answer = await Promise.all([
      get(this.#keys.record(bucket, key)),
      get(this.#keys.fence(bucket)),
    ])
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
    return runScript(connection, call, script, keys, [String(ttl), spare, start, bytes, ...tags])
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
    runScript(connection, UNAWAITED, PRUNE, keys, [this.#keys.keyStart(bucket), ...tags]).catch(
      () => {},
    )
  }

  #bucketKeys(bucket: number, key: string): string[] {
    return [this.#keys.record(bucket, key), this.#keys.fence(bucket), this.#keys.index(bucket)]
  }
}

type Pair = readonly [Buffer | null, Buffer | null]

/** A record and the fence of its bucket, as they are at one moment. */
const READ: Errand<readonly [record: string, fence: string], Pair> = {
  alone: (sender, call, [record, fence]) =>
    sender.send(call, 'mget', [record, fence]) as Promise<Pair>,
  async together(sender, call, items) {
    const fences = new Map<string, number>()
    for (const [, fence] of items)
      if (!fences.has(fence)) fences.set(fence, items.length + fences.size)
    const names = [...items.map(([record]) => record), ...fences.keys()]
    const found = (await sender.send(call, 'mget', names)) as (Buffer | null)[]
    return items.map(([, fence], i) => [found[i] ?? null, found[fences.get(fence) ?? -1] ?? null])
  },
}

/** Removes a record, and tells how it began. */
const UNLINK_HEAD: Errand<string, Buffer> = {
  async alone(sender, call, record) {
    // If it is no string it is no record of ours; another failure is that of the next command too.
    const head = sender.send(call, 'getrange', [record, '0', LAST]).catch(() => NOTHING)
    await sender.send(call, 'unlink', [record])
    return (await head) as Buffer
  },
  together: (sender, call, records) =>
    runScript(sender, call, UNLINK, records, [LAST]) as Promise<Buffer[]>,
}

const NOTHING = Buffer.alloc(0)

const UNAWAITED: Call = { abandoned: false, background: true, onAbandon: () => {} }

const valueFrom = (answer: Pair): Uint8Array | undefined => {
  const [record, fence] = answer
  return valueIn(record, fence)
}
