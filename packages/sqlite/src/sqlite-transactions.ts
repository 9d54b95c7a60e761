import type { SqliteClient } from './sqlite-client.js'
import { isBusy, isFull } from './sqlite-errors.js'
import { evict } from './sqlite-eviction.js'
import type { Relief, Transactions } from './sqlite-queue.js'

/** The write transactions of one connection, which see to it that the file has room. */
export class SqliteTransactions implements Transactions {
  readonly #client: SqliteClient

  constructor(client: SqliteClient) {
    this.#client = client
  }

  get isOpen(): boolean {
    return this.#client.isOpen
  }

  begin(): void {
    this.#client.begin()
  }

  /** Makes room for the next transaction first: a slice of it. */
  commit(): void {
    const { size } = this.#client
    if (size.isLimited) {
      const sql = this.#client.statements()
      evict(sql, size.headroom + size.excess(sql.pages.get() ?? 0))
    }
    this.#client.commit()
  }

  rollback(): void {
    this.#client.rollback()
  }

  /**
   * Where the file may not grow, removes the oldest entries until it has room for what failed, a
   * slice at a time. Where it has that, or no entries, the disk has no room for the log.
   */
  relieve(error: unknown): Relief {
    if (!isFull(error)) return 'none'
    try {
      const { size, written } = this.#client
      const needed = size.pagesOf(written) + size.headroom
      const free = this.#client.statements().freePages.get() ?? 0
      if (free < needed && this.#evict(needed) > 0) return 'some'
      this.#client.restartLog()
      return 'last'
    } catch (failure) {
      this.rollback()
      // Whoever has the lock may be making room: the next attempt waits for it.
      return isBusy(failure) ? 'some' : 'none'
    }
  }

  #evict(pages: number): number {
    this.#client.begin()
    const removed = evict(this.#client.statements(), pages)
    this.#client.commit()
    return removed
  }
}
