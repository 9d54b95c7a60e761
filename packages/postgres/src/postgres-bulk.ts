import { createHash, randomBytes } from 'node:crypto'
import type { Call } from '@l2/core'
import { GivenUp, type PostgresClient } from './postgres-client.js'
import type { Fence } from './postgres-fence.js'
import { type Keyspace, TAG_BYTES } from './postgres-keys.js'
import { Pace, type Slice } from './postgres-pace.js'
import type { Value } from './postgres-query.js'
import type { PostgresSchema } from './postgres-schema.js'
import type { Statements } from './postgres-sql.js'
import type { Statement } from './postgres-statement.js'
import { Turns } from './postgres-turns.js'

/** Slices at a time, of all calls: a hundred calls at once are not to take every connection of a pool. */
const LANES = 2

/** How much of the tag rows a sweep in the background looks at, in slices, unless many are dead. */
const SAMPLE = 8

/** Dead rows in one slice that make it worth going on. */
const MANY = 100

/** No version is lower. */
const LOWEST = '-9223372036854775808'

const NOTHING = Buffer.alloc(0)

/** The operations on many keys, in slices. */
export class PostgresBulk {
  readonly #client: PostgresClient
  readonly #schema: PostgresSchema
  readonly #fence: Fence
  readonly #sql: Statements
  readonly #keys: Keyspace
  readonly #turn: number
  readonly #turns = new Turns(LANES)

  /** @param tables tells who of all sweepers sweep the same. */
  constructor(
    client: PostgresClient,
    schema: PostgresSchema,
    fence: Fence,
    sql: Statements,
    keys: Keyspace,
    tables: string,
  ) {
    this.#client = client
    this.#schema = schema
    this.#fence = fence
    this.#sql = sql
    this.#keys = keys
    this.#turn = createHash('sha256').update(tables).digest().readInt32BE() | 1
  }

  async *removeTagged(tag: string, call: Call): AsyncGenerator<number, void> {
    const hash = this.#keys.tag(tag)
    const pace = new Pace()
    for (let [after, version] = [NOTHING, LOWEST]; ; ) {
      const values = [hash, after, version]
      const slice = await this.#write(this.#sql.removeTagged, values, pace, call)
      yield slice.removed
      if (slice.isLast) return
      const [place = '', ver = LOWEST] = slice.last
      after = Buffer.from(place, 'hex')
      version = ver
    }
  }

  async *removeAll(call: Call): AsyncGenerator<number, void> {
    const { start, first, last } = this.#keys
    const pace = new Pace()
    for (let after = first; ; ) {
      const values = [start, start.length, after, last]
      const slice = await this.#write(this.#sql.removeAll, values, pace, call)
      yield slice.removed
      if (slice.isLast) return
      after = Buffer.from(slice.last[0] ?? '', 'hex')
    }
  }

  /** Removes what has expired, of all prefixes, and tag rows that no entry has any more. */
  async *sweep(call: Call): AsyncGenerator<number, void> {
    await this.#prepare(call)
    const pace = new Pace()
    for (let from = '-Infinity'; ; ) {
      const slice = await this.#sweep(this.#sql.removeExpired, [from], pace, call)
      yield slice.removed
      if (slice.isBusy) return
      const [last = ''] = slice.last
      // What others have locked just now will be something else.
      if (slice.isLast || (slice.removed === 0 && last === from)) break
      from = last
    }
    if (call.background) yield* this.#sampleTags(call)
    else yield* this.#sweepTags(call, NOTHING)
  }

  /**
   * In the background not all tag rows are looked at, as there may be millions, but some from a place
   * on that is another one each time; and more where many of them are dead.
   */
  async *#sampleTags(call: Call): AsyncGenerator<number, void> {
    let left = SAMPLE
    for await (const untagged of this.#sweepTags(call, randomBytes(TAG_BYTES))) {
      yield 0
      if (untagged < MANY && --left === 0) return
    }
    if (left < SAMPLE)
      for await (const _ of this.#sweepTags(call, NOTHING)) {
        yield 0
        if (--left <= 0) return
      }
  }

  /** From a tag on. Each step yields how many rows it removed. */
  async *#sweepTags(call: Call, from: Buffer): AsyncGenerator<number, void> {
    let [tag, hash, version] = [from, NOTHING, LOWEST]
    for (const pace = new Pace(); ; ) {
      const values = [tag, hash, version]
      const slice = await this.#sweep(this.#sql.removeDeadTags, values, pace, call)
      yield slice.untagged
      if (slice.isLast || slice.isBusy) return
      const [nextTag = '', nextHash = '', nextVersion = LOWEST] = slice.last
      tag = Buffer.from(nextTag, 'hex')
      hash = Buffer.from(nextHash, 'hex')
      version = nextVersion
    }
  }

  /** A slice that a caller would not want to come late. */
  #write(statement: Statement, values: readonly Value[], pace: Pace, call: Call): Promise<Slice> {
    return this.#turns.take(async () => {
      await this.#prepare(call)
      while (this.#fence.isClosed) await this.#fence.pass()
      if (call.abandoned) throw new GivenUp()
      const asked = pace.rows
      const work = this.#fence.write([call], statement, [...values, asked])
      // What is written after the caller has given up must not fall to it.
      call.onAbandon(() => this.#fence.hold(work))
      return pace.after(await work, asked)
    })
  }

  /** A slice that is right at any time. */
  #sweep(statement: Statement, values: readonly Value[], pace: Pace, call: Call): Promise<Slice> {
    const asked = pace.rows
    const all = [!call.background, this.#turn, asked, ...values]
    return this.#turns.take(async () => {
      if (call.abandoned) throw new GivenUp()
      const [row] = await this.#client.use([call], ({ connection }) =>
        connection.query(statement, all),
      )
      return pace.after(row ?? [], asked)
    })
  }

  async #prepare(call: Call): Promise<void> {
    if (!this.#schema.isReady) await this.#schema.ready()
    if (call.abandoned) throw new GivenUp()
  }
}
