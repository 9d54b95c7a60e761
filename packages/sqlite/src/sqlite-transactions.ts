import type { SqliteClient } from './sqlite-client.js'
import { isBusy, isFull } from './sqlite-errors.js'
import { evict } from './sqlite-eviction.js'
import type { Transactions } from './sqlite-queue.js'

/** The write transactions of one connection, which see to it that the file has room. */
export class SqliteTransactions implements Transactions {
  readonly #client: SqliteClient
  /** How many pages have to be free for what failed to succeed. */
  #needed = 0

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

  /** Where the file has the room, the disk has none for the log: that begins anew then. */
  relieve(error: unknown): boolean {
    if (!isFull(error)) return false
    try {
      const { size, written } = this.#client
      this.#needed = size.pagesOf(written) + size.headroom
      if (this.#hasRoom()) this.#restartLog()
      return true
    } catch {
      return false
    }
  }

  /** Removes the oldest entries, one slice. */
  makeRoom(isWanted: boolean): boolean {
    if (!isWanted) this.#needed = 0
    if (this.#needed === 0) return false
    try {
      this.#client.begin()
      const removed = evict(this.#client.statements(), this.#needed)
      this.#client.commit()
      if (removed === 0) this.#restartLog()
      else if (this.#hasRoom()) this.#needed = 0
    } catch (error) {
      this.rollback()
      if (isBusy(error)) throw error
      this.#restartLog()
    }
    return this.#needed > 0
  }

  #hasRoom(): boolean {
    return (this.#client.statements().freePages.get() ?? 0) >= this.#needed
  }

  #restartLog(): void {
    this.#needed = 0
    try {
      this.#client.restartLog()
    } catch {
      // What needs the room fails again, and tells why.
    }
  }
}
