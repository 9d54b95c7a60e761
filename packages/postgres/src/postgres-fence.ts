import { type Call, L2Error } from '@l2/core'
import { GivenUp, OWN, type PostgresClient, type Visit } from './postgres-client.js'
import type { PostgresConnection } from './postgres-connection.js'
import { isImpatience, isRefusal } from './postgres-errors.js'
import type { Row, Value } from './postgres-query.js'
import { LOCKS, NOW } from './postgres-sql.js'
import type { Statement } from './postgres-statement.js'

/** How long one look waits for those that it ends, in ms. */
const PATIENCE = 1_000

/** How long until the next look, in ms, where the clock has not come as far as it has to. */
const PAUSE = 10

/**
 * Ends whoever carries out a statement of these ($1), and tells who that was. They hold a lock in the
 * name of it until they are done with it, or rolled back.
 */
const END = {
  text: `
SELECT holder.pid, pg_terminate_backend(holder.pid, ${PATIENCE}::int8) FROM (
  SELECT DISTINCT pid FROM pg_locks
  WHERE locktype = 'advisory' AND classid = ${LOCKS}::oid AND objsubid = 2 AND objid = ANY($1::oid[])
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND pid <> pg_backend_pid()
) holder`,
}

const CLOCK = { text: `SELECT ${NOW}` }

/** A write that was sent and has no answer. */
interface Lost {
  readonly id: number
  /** From when on it does nothing where it arrives, in ms of the server's clock. */
  readonly until: number
}

/**
 * Sees to it that no write that was given up takes effect behind a younger one. Its connection is
 * cut, but the server may carry it out all the same: it waits for a lock, or a network or a pooler
 * still has it. So each write has a number, and the time when its callers give it up: it does nothing
 * from then on, and until it is done it holds a lock by its number. Before the next write is sent, that
 * time has come and whoever holds the lock was ended. Which connection that was does not matter.
 */
export class Fence {
  readonly #client: PostgresClient
  #lastId = Math.floor(Math.random() * 2 ** 31)
  #lost: Lost[] = []
  readonly #holding = new Set<Promise<unknown>>()
  #passing: Promise<void> | undefined

  constructor(client: PostgresClient) {
    this.#client = client
  }

  /**
   * Sends a write that has the two steps described in postgres-sql.ts, and answers its one row. To be
   * called when the fence is open.
   *
   * @throws L2Error `L2_TIMEOUT` where it came too late, and did nothing.
   */
  async write(
    calls: readonly Call[],
    statement: Statement,
    values: readonly Value[],
  ): Promise<Row> {
    this.#lastId = (this.#lastId + 1) % 2 ** 31
    const id = this.#lastId
    let deadline: number | undefined
    try {
      return await this.#client.use(calls, async visit => {
        const { connection } = visit
        // Twice, as what was thought of the server's clock may have been wrong.
        for (let attempt = 0; attempt < 2; attempt++) {
          if (attempt > 0) await clockOf(connection)
          deadline = visit.deadline()
          const [row] = await connection.query(statement, [id, deadline, ...values])
          if (row === undefined) continue
          connection.sawClock(Number(row[0]))
          return row
        }
        deadline = undefined
        throw new L2Error(
          'L2_TIMEOUT',
          'it came to PostgreSQL when its time was over, and did nothing.',
        )
      })
    } catch (error) {
      if (deadline !== undefined && !isRefusal(error)) {
        // Ended from the other side: what the server has not begun, it has not got.
        const mayCome = error instanceof GivenUp || isImpatience(error)
        this.#lost.push({ id, until: mayCome ? deadline : 0 })
      }
      throw error
    }
  }

  /** Nothing is sent before this has settled. */
  hold(work: Promise<unknown>): void {
    this.#holding.add(work)
    const end = (): void => void this.#holding.delete(work)
    work.then(end, end)
  }

  /** Whether {@link pass} has anything to do. */
  get isClosed(): boolean {
    return this.#lost.length > 0 || this.#holding.size > 0
  }

  /** Resolves when nothing that was given up can take effect any more. */
  async pass(): Promise<void> {
    while (this.isClosed) {
      await Promise.allSettled(this.#holding)
      if (this.#lost.length === 0) continue
      this.#passing ??= this.#end().finally(() => {
        this.#passing = undefined
      })
      await this.#passing
    }
  }

  async #end(): Promise<void> {
    // Not those that come meanwhile.
    const lost = [...this.#lost]
    await this.#client.use(OWN, async visit => {
      await until(visit, Math.max(...lost.map(one => one.until)))
      const ids = `{${lost.map(({ id }) => id).join(',')}}`
      let holders: readonly Row[]
      do holders = await visit.connection.query(END, [ids])
      while (holders.length > 0)
    })
    this.#lost = this.#lost.filter(one => !lost.includes(one))
  }
}

/** Waits for the server's clock. */
async function until({ connection }: Visit, time: number): Promise<void> {
  while ((await clockOf(connection)) < time)
    await new Promise(resolve => setTimeout(resolve, PAUSE))
}

async function clockOf(connection: PostgresConnection): Promise<number> {
  const [[clock] = []] = await connection.query(CLOCK, [])
  connection.sawClock(Number(clock))
  return Number(clock)
}
