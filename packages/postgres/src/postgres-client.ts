import { type Call, L2Error } from '@l2/core'
import type { Pool, PoolClient } from 'pg'
import { PostgresConnection } from './postgres-connection.js'
import { isRefusal } from './postgres-errors.js'
import type { PoolSource } from './postgres-options.js'

/** What the work of {@link PostgresClient.use} can ask and tell. */
export interface Visit {
  readonly connection: PostgresConnection
  /**
   * Until when a write may take effect, in ms of the server's clock: not later than its callers are
   * told that they have waited for too long.
   */
  deadline(): number
}

/** What a pool of pg has but does not tell in its types. */
interface Inside {
  /** Without those that are idle, once the pool is to end. */
  readonly _clients?: readonly { readonly connection?: { readonly stream?: { destroy(): void } } }[]
}

/** Work that nobody calls for. It has the adapter's `timeout` too. */
export const OWN: readonly Call[] = []

/** Why something failed that nobody waits for any more. */
export class GivenUp extends L2Error {
  constructor() {
    super('L2_TIMEOUT', 'given up: no answer within the timeout.')
  }
}

/** The connections of one adapter: a pool, from which each batch of calls takes one and gives it back. */
export class PostgresClient {
  readonly #source: PoolSource
  readonly #timeout: number
  #pool: Pool | undefined
  readonly #inUse = new Set<PostgresConnection>()
  #closed = false

  /**
   * @param source opened when a connection is first needed.
   * @param timeout ms that callers wait for an answer; 0 = any time.
   */
  constructor(source: PoolSource, timeout: number) {
    this.#source = source
    this.#timeout = timeout
  }

  /**
   * Has `work` done on a connection. Where its calls have been given up and `timeout` has passed, the
   * connection is cut and this rejects: what was sent may be under way still.
   */
  use<T>(calls: readonly Call[], work: (visit: Visit) => Promise<T>): Promise<T> {
    const begun = performance.now()
    return new Promise<T>((resolve, reject) => {
      let connection: PostgresConnection | undefined
      let timer: NodeJS.Timeout | undefined
      let isOver = false
      const cut = (): void => {
        if (isOver) return
        isOver = true
        connection?.destroy()
        reject(new GivenUp())
      }
      const watch = (): void => {
        if (this.#timeout === 0 || timer !== undefined || isOver) return
        const left = begun + this.#timeout - performance.now()
        // Where the event loop was blocked, the answer may have come: one more turn lets it in.
        timer = setTimeout(() => setImmediate(cut), Math.max(left, 0))
        timer.unref()
      }
      for (const call of calls) call.onAbandon(watch)
      if (calls === OWN) watch()
      const end = (): void => {
        isOver = true
        clearTimeout(timer)
      }
      this.#borrow((error, client, release) => {
        if (isOver) {
          release?.()
          return
        }
        if (client === undefined || this.#closed) {
          // Nobody would cut it any more.
          release?.()
          end()
          reject(error ?? new GivenUp())
          return
        }
        const found = connectionOf(client)
        connection = found
        this.#inUse.add(found)
        if (this.#mayUnref(calls)) found.unref()
        this.#visit(found, begun, work).then(
          result => {
            this.#inUse.delete(found)
            release?.()
            if (isOver) return
            end()
            resolve(result)
          },
          (failure: unknown) => {
            this.#inUse.delete(found)
            // After an error of the statement alone the connection serves on.
            release?.(isOver || !isRefusal(failure))
            if (isOver) return
            end()
            reject(failure)
          },
        )
      })
    })
  }

  /** Cuts what is in use; ends the pool where it is ours. */
  async close(): Promise<void> {
    this.#closed = true
    for (const connection of this.#inUse) connection.destroy()
    if (!this.#source.isOurs || this.#pool === undefined) return
    const ended = this.#pool.end()
    // It would wait for those that are being made.
    for (const client of (this.#pool as Inside)._clients ?? []) client.connection?.stream?.destroy()
    await ended
  }

  async #visit<T>(
    connection: PostgresConnection,
    begun: number,
    work: (visit: Visit) => Promise<T>,
  ): Promise<T> {
    // What is done there counts for nothing until somebody commits, which nobody will. It is ended.
    if (connection.isInTransaction)
      throw new L2Error(
        'L2_UNAVAILABLE',
        'the pool gave out a connection on which the application has left a transaction open.',
      )
    if (!connection.isGreeted) await connection.greet()
    const deadline = (): number =>
      this.#timeout === 0
        ? Number.POSITIVE_INFINITY
        : connection.serverTimeIn(begun + this.#timeout - performance.now())
    return work({ connection, deadline })
  }

  /** Whether nobody waits for these. How a pool of others holds the process is their matter. */
  #mayUnref(calls: readonly Call[]): boolean {
    return this.#source.isOurs && calls !== OWN && calls.every(({ background }) => background)
  }

  #borrow(
    done: (error: unknown, client?: PoolClient, release?: (destroy?: boolean) => void) => void,
  ): void {
    try {
      if (this.#closed) throw new Error('the adapter was closed')
      this.#pool ??= this.#source.open()
      this.#pool.connect((error, client, release) => done(error, client, release))
    } catch (error) {
      done(error)
    }
  }
}

/** Of all adapters: several may share a pool. */
const CONNECTIONS = new WeakMap<PoolClient, PostgresConnection>()

function connectionOf(client: PoolClient): PostgresConnection {
  const connection = CONNECTIONS.get(client) ?? new PostgresConnection(client)
  CONNECTIONS.set(client, connection)
  return connection
}
