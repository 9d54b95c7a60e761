import { randomBytes } from 'node:crypto'
import type { Call } from '@l2/core'
import { byteaArray, float8Array, int8Array } from './postgres-arrays.js'
import { GivenUp, type PostgresClient } from './postgres-client.js'
import { isAboutData, isRefusal } from './postgres-errors.js'
import type { Fence } from './postgres-fence.js'
import type { RowName } from './postgres-keys.js'
import { type Batched, Lanes } from './postgres-lanes.js'
import type { Value } from './postgres-query.js'
import { CallQueue, type Keyed } from './postgres-queue.js'
import type { PostgresSchema } from './postgres-schema.js'
import type { Statements } from './postgres-sql.js'
import type { Statement } from './postgres-statement.js'

/** Kinds of writes: each has its statement. */
const SET = 0
const REMOVE = 1

/** Two: while the server works on one batch, we make the next one, and it has several cores. */
const LANES = 2

const VERSION_BYTES = 8

/** How many bytes of a value take about as long as one byte of tags, each of which has a row (measured: 15 µs). */
const TAGS_WEIGH = 8

/** One call of one key, on its way. */
interface Item extends Keyed, Batched {
  readonly row: RowName
}

interface Write extends Item {
  readonly value: Uint8Array
  readonly ttl: number
  readonly tags: Buffer
}

/** The operations on one key. Those that are made together share statements. */
export class PostgresStore {
  readonly #client: PostgresClient
  readonly #schema: PostgresSchema
  readonly #fence: Fence
  readonly #sql: Statements
  readonly #queue: CallQueue<Item>
  readonly #reads = new Lanes<Item>(LANES, 1, batch => this.#answer(batch, this.#read))
  readonly #writes = new Lanes<Write>(LANES, 2, batch => this.#answer(batch, this.#write))

  constructor(client: PostgresClient, schema: PostgresSchema, fence: Fence, sql: Statements) {
    this.#client = client
    this.#schema = schema
    this.#fence = fence
    this.#sql = sql
    this.#queue = new CallQueue(item =>
      item.writes ? this.#writes.add(item as Write) : this.#reads.add(item),
    )
  }

  get(key: string, row: RowName, call: Call): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) =>
      this.#queue.add({
        key,
        row,
        call,
        writes: false,
        kind: 0,
        bytes: 0,
        resolve,
        reject,
        era: undefined,
      }),
    )
  }

  set(
    key: string,
    row: RowName,
    value: Uint8Array,
    ttl: number,
    tags: Buffer,
    call: Call,
  ): Promise<void> {
    const bytes = value.length + row.name.length + tags.length * TAGS_WEIGH
    return this.#add(key, row, call, SET, bytes, value, ttl, tags)
  }

  delete(key: string, row: RowName, call: Call): Promise<void> {
    return this.#add(key, row, call, REMOVE, row.name.length, NOTHING, 0, NOTHING)
  }

  /** Resolves when all calls made so far have their answers, or none will come. */
  idle(): Promise<unknown> {
    return this.#queue.idle()
  }

  // All in one literal, not spread into it: that took a tenth of a set.
  #add(
    key: string,
    row: RowName,
    call: Call,
    kind: number,
    bytes: number,
    value: Uint8Array,
    ttl: number,
    tags: Buffer,
  ): Promise<void> {
    return new Promise<unknown>((resolve, reject) => {
      const write: Write = {
        key,
        row,
        call,
        writes: true,
        kind,
        bytes,
        value,
        ttl,
        tags,
        resolve,
        reject,
        era: undefined,
      }
      this.#queue.add(write)
    }) as Promise<void>
  }

  /**
   * Answers each of a batch. Where one can't be done because of what it is, the statement did nothing,
   * and each is sent by itself: the others are not to suffer.
   */
  async #answer<T extends Item>(batch: T[], send: (batch: T[]) => Promise<void>): Promise<void> {
    try {
      if (!this.#schema.isReady) await this.#schema.ready()
      while (this.#fence.isClosed) await this.#fence.pass()
    } catch (error) {
      for (const item of batch) this.#queue.lost(item, error)
      return
    }
    const live = batch.filter(item => !item.call.abandoned)
    for (const item of batch) if (item.call.abandoned) this.#queue.refused(item, new GivenUp())
    if (live.length === 0) return
    try {
      await send(live)
    } catch (error) {
      if (live.length > 1 && isAboutData(error)) {
        for (const item of live) await this.#answer([item], send)
      } else if (isRefusal(error)) for (const item of live) this.#queue.refused(item, error)
      else for (const item of live) this.#queue.lost(item, error)
    }
  }

  readonly #read = async (batch: readonly Item[]): Promise<void> => {
    const rows = await this.#client.use(callsOf(batch), ({ connection }) => {
      const [first] = batch
      if (batch.length === 1 && first !== undefined)
        return connection.query(this.#sql.get, [first.row.hash, first.row.name])
      return connection.query(this.#sql.getMany, namesOf(batch))
    })
    if (batch.length === 1) {
      for (const item of batch) this.#queue.done(item, bytesIn(rows[0]?.[0]))
      return
    }
    const found: (string | null | undefined)[] = []
    for (const [at, base64] of rows) found[Number(at) - 1] = base64
    for (const [i, item] of batch.entries()) this.#queue.done(item, bytesIn(found[i]))
  }

  readonly #write = async (batch: Write[]): Promise<void> => {
    // In one order, as all who lock several rows.
    batch.sort((a, b) => Buffer.compare(a.row.hash, b.row.hash))
    const [statement, values] = this.#statementFor(batch)
    await this.#fence.write(callsOf(batch), statement, values)
    for (const item of batch) this.#queue.done(item)
  }

  #statementFor(batch: readonly Write[]): [Statement, readonly Value[]] {
    const [first] = batch
    if (first === undefined || first.kind === REMOVE) return [this.#sql.remove, namesOf(batch)]
    const isTagged = batch.some(({ tags }) => tags.length > 0)
    if (batch.length === 1 && !isTagged) {
      const { row, value, ttl } = first
      return [this.#sql.setUntagged, [row.hash, row.name, asBuffer(value), ttl]]
    }
    const values = [
      ...namesOf(batch),
      byteaArray(batch.map(({ value }) => value)),
      float8Array(batch.map(({ ttl }) => ttl)),
    ]
    if (!isTagged) return [this.#sql.setManyUntagged, values]
    values.push(int8Array(versionsFor(batch)), byteaArray(batch.map(({ tags }) => tags)))
    return [this.#sql.setMany, values]
  }
}

const NOTHING = Buffer.alloc(0)

const UNTAGGED = Buffer.alloc(VERSION_BYTES)

const callsOf = (batch: readonly Item[]): readonly Call[] => batch.map(({ call }) => call)

const namesOf = (batch: readonly Item[]): Buffer[] => [
  byteaArray(batch.map(({ row }) => row.hash)),
  byteaArray(batch.map(({ row }) => row.name)),
]

/** A new version for each that has tags. */
function versionsFor(batch: readonly Write[]): Buffer[] {
  const random = randomBytes(batch.length * VERSION_BYTES)
  return batch.map(({ tags }, i) =>
    tags.length === 0 ? UNTAGGED : random.subarray(i * VERSION_BYTES, (i + 1) * VERSION_BYTES),
  )
}

const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

/** Characters in a line of Postgres's base64, with what ends it (RFC 2045, section 6.8). */
const LINE = 77

/** Bytes of nobody else, of what encode() made of them: base64 is shorter than hex, and read faster. */
function bytesIn(base64: string | null | undefined): Uint8Array | undefined {
  if (base64 === null || base64 === undefined) return undefined
  const text = base64.endsWith('\n') ? base64.slice(0, -1) : base64
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const characters = text.length - Math.floor(text.length / LINE)
  const bytes = Buffer.allocUnsafeSlow((characters / 4) * 3 - padding)
  bytes.write(text, 'base64')
  return bytes
}
