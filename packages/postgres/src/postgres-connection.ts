import type { PoolClient } from 'pg'
import { isAboutName } from './postgres-errors.js'
import { PostgresQuery, type Row, type Value, type Wire } from './postgres-query.js'
import { checkServer, HELLO } from './postgres-server.js'
import type { Statement } from './postgres-statement.js'

/** How long a plan that may age is used, in ms: for as long a table may have outgrown it. */
const PLAN_LIFE = 500

/** How long an estimate of the server's clock counts, in ms: clocks are set, and drift. */
const CLOCK_LIFE = 60_000

/** Text as it came. What parsers the application has given to pg is no matter of ours. */
const AS_TEXT = { getTypeParser: () => (text: string) => text }

const ignore = (): void => {}

/** What pg has but does not tell in its types. */
interface Inside {
  getTransactionStatus?(): string | null
  readonly processID?: number | null
  /** Of a client that doesn't wait for answers: it takes no queries but its own. */
  readonly pipeline?: boolean
  /** Not where pg is but a coat over libpq (pg-native). */
  readonly connection?: Wire & {
    readonly stream: { destroy(): void }
    close(what: { readonly type: 'S'; readonly name: string }, more?: boolean): void
  }
}

/**
 * One connection of a pool, as long as it lives. Nothing that is done here outlives its statement: what
 * is at the other end may be a pooler, and serve somebody else in the next moment.
 */
export class PostgresConnection {
  readonly #client: PoolClient
  readonly #inside: Inside
  #greeted = false
  /** Whether statements may have names: nothing is in between. */
  #named = false
  /** The server's clock less ours, or a little less. */
  #ahead = Number.NEGATIVE_INFINITY
  #aheadSince = 0
  readonly #plans = new Map<string, { name: string; until: number }>()
  #lastPlan = 0

  constructor(client: PoolClient) {
    this.#client = client
    this.#inside = client as unknown as Inside
    // While it is borrowed the pool does not listen, and an event of errors that nobody hears ends the
    // process. The statement in flight fails with the same.
    // Once, as any number of adapters may share a pool.
    if (!client.listeners('error').includes(ignore)) client.on('error', ignore)
  }

  /** Asks what is at the other end, once. @throws L2Error as {@link checkServer} does. */
  async greet(): Promise<void> {
    if (this.#greeted) return
    const [answer] = await this.#send(HELLO, [])
    const { pid, clock } = checkServer(answer)
    this.#named = pid === this.#inside.processID && this.#inside.connection !== undefined
    this.sawClock(clock)
    this.#greeted = true
  }

  /** Whether somebody has begun a transaction here, and not ended it. */
  get isInTransaction(): boolean {
    // In one (T) or in one that has failed (E): "Message Formats", ReadyForQuery.
    return /^[TE]$/.test(this.#inside.getTransactionStatus?.() ?? '')
  }

  get isGreeted(): boolean {
    return this.#greeted
  }

  query(statement: Statement, values: readonly Value[]): Promise<Row[]> {
    const { text, name, ages = false } = statement
    if (!this.#named || name === undefined) return this.#send(text, values)
    return this.#send(text, values, ages ? this.#planned(name) : name).catch(error => {
      if (!isAboutName(error)) throw error
      // Whoever else uses this connection throws away what was prepared (DISCARD ALL). It was not
      // carried out, so that it can be sent again.
      this.#named = false
      return this.#send(text, values)
    })
  }

  /** Several statements in one message, which are one transaction. */
  async run(text: string): Promise<void> {
    await this.#client.query(text)
  }

  /** When it will be this much later, in ms by the server's clock, or a little earlier. */
  serverTimeIn(ms: number): number {
    return this.#ahead + performance.now() + ms
  }

  /** @param clock what the server's was, after a statement was sent and before it was answered. */
  sawClock(clock: number): void {
    const now = performance.now()
    const ahead = clock - now
    // The answer took its time, so what it tells is too little. The most of what was told is nearest.
    if (ahead <= this.#ahead && now - this.#aheadSince < CLOCK_LIFE) return
    this.#ahead = ahead
    this.#aheadSince = now
  }

  /** Ends it at once: what is in flight fails, and may have taken effect. */
  destroy(): void {
    this.#inside.connection?.stream.destroy()
  }

  /** Holds the process no longer. */
  unref(): void {
    ;(this.#client as { unref?: () => void }).unref?.()
  }

  /** A name that was planned just now, or will be. */
  #planned(name: string): string {
    const now = performance.now()
    const plan = this.#plans.get(name)
    if (plan !== undefined && now < plan.until) return plan.name
    if (plan !== undefined) {
      this.#inside.connection?.close({ type: 'S', name: plan.name })
      delete this.#inside.connection?.parsedStatements[plan.name]
    }
    const next = `${name}_${++this.#lastPlan}`
    this.#plans.set(name, { name: next, until: now + PLAN_LIFE })
    return next
  }

  #send(text: string, values: readonly Value[], name = ''): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, rows: Row[] = []): void => {
        if (error) reject(error)
        else resolve(rows)
      }
      const { pipeline, connection } = this.#inside
      if (connection !== undefined && !pipeline) {
        this.#client.query(new PostgresQuery(text, name, values, done) as never)
        return
      }
      const ours = { rowMode: 'array', types: AS_TEXT, queryMode: 'extended' }
      const query = { text, values, name, ...ours } as never
      this.#client.query(query, (error: Error | null, result?: { rows: Row[] }) =>
        done(error, result?.rows),
      )
    })
  }
}
