import type { PoolClient } from 'pg'
import { isAboutName } from './postgres-errors.js'
import { checkServer, HELLO } from './postgres-server.js'
import type { Statement } from './postgres-statement.js'

/** A row as it came: each column as text. */
export type Row = readonly (string | null)[]

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
  readonly connection?: {
    readonly stream?: { destroy(): void }
    readonly parsedStatements?: Record<string, unknown>
    close?(what: { readonly type: 'S'; readonly name: string }, more?: boolean): void
  }
}

/**
 * One connection of a pool, as long as it lives. Nothing that is done here outlives its statement: what
 * is at the other end may be a pooler, and serve somebody else in the next moment.
 */
export class PostgresConnection {
  readonly #client: PoolClient
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
    // While it is borrowed the pool does not listen, and an event of errors that nobody hears ends the
    // process. The statement in flight fails with the same.
    // Once, as any number of adapters may share a pool.
    if (!client.listeners('error').includes(ignore)) client.on('error', ignore)
  }

  /** Asks what is at the other end, once. @throws L2Error as {@link checkServer} does. */
  async greet(): Promise<void> {
    if (this.#greeted) return
    const [answer] = await this.#send({ text: HELLO, values: [] })
    const { pid, clock } = checkServer(answer)
    this.#named = pid === (this.#client as Inside).processID && this.#inside?.close !== undefined
    this.sawClock(clock)
    this.#greeted = true
  }

  /** Whether somebody has begun a transaction here, and not ended it. */
  get isInTransaction(): boolean {
    // In one (T) or in one that has failed (E): "Message Formats", ReadyForQuery.
    return /^[TE]$/.test((this.#client as Inside).getTransactionStatus?.() ?? '')
  }

  get isGreeted(): boolean {
    return this.#greeted
  }

  async query(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    const { text, name, ages = false } = statement
    if (!this.#named || name === undefined) return this.#send({ text, values })
    try {
      return await this.#send({ text, values, name: ages ? this.#planned(name) : name })
    } catch (error) {
      if (!isAboutName(error)) throw error
      // Whoever else uses this connection throws away what was prepared (DISCARD ALL). It was not
      // carried out, so that it can be sent again.
      this.#named = false
      return this.#send({ text, values })
    }
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
    this.#inside?.stream?.destroy()
  }

  /** Holds the process no longer. */
  unref(): void {
    ;(this.#client as { unref?: () => void }).unref?.()
  }

  get #inside(): Inside['connection'] {
    return (this.#client as Inside).connection
  }

  /** A name that was planned just now, or will be. */
  #planned(name: string): string {
    const now = performance.now()
    const plan = this.#plans.get(name)
    if (plan !== undefined && now < plan.until) return plan.name
    if (plan !== undefined) {
      this.#inside?.close?.({ type: 'S', name: plan.name })
      delete this.#inside?.parsedStatements?.[plan.name]
    }
    const next = `${name}_${++this.#lastPlan}`
    this.#plans.set(name, { name: next, until: now + PLAN_LIFE })
    return next
  }

  #send(query: { text: string; values: readonly unknown[]; name?: string }): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      const config = { ...query, rowMode: 'array', types: AS_TEXT, queryMode: 'extended' }
      this.#client.query(config as never, (error: Error | null, result: { rows: Row[] }) => {
        if (error) reject(error)
        else resolve(result.rows)
      })
    })
  }
}
