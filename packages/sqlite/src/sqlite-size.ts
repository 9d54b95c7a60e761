import { statfsSync } from 'node:fs'
import type Sqlite from 'better-sqlite3'

/** What SQLite allows, in pages (sqlite.org/limits.html, item 13). */
const MOST_PAGES = 4_294_967_294

/**
 * About how many bytes an entry takes in the file, at most: its key is in the table and in an index,
 * its tags are in its row, in JSON, and have rows of their own, and pages of an index are half full.
 */
export function sizeOf(key: string, value: Uint8Array, tags: readonly string[]): number {
  let names = Buffer.byteLength(key)
  for (const tag of tags) names += Buffer.byteLength(tag) + 32
  return value.length + 3 * names
}

/**
 * How large one file may get for this process. Growth beyond it is `SQLITE_FULL`, before anything
 * of it reaches the disk.
 *
 * A disk that is nearly full stops the growth too. Once it is full it would be too late: the log
 * then holds pages that the file has no room for, so that it can't be moved into the file, and to
 * remove entries needs room in the log.
 */
export class SizeLimit {
  readonly #db: Sqlite.Database
  readonly #pageSize: number
  readonly #maxPages: number
  #isHeld = false
  #limit = MOST_PAGES

  /** @param maxBytes of the file; `undefined`: as much as the disk has. */
  constructor(db: Sqlite.Database, maxBytes: number | undefined) {
    this.#db = db
    this.#pageSize = db.pragma('page_size', { simple: true }) as number
    this.#maxPages = maxBytes === undefined ? MOST_PAGES : Math.floor(maxBytes / this.#pageSize)
    this.renew()
  }

  /** How many pages `bytes` fill. */
  pagesOf(bytes: number): number {
    return Math.ceil(bytes / this.#pageSize)
  }

  /** Whether the file may grow only so far. */
  get isLimited(): boolean {
    return this.#limit < MOST_PAGES
  }

  /** Whether the disk is nearly full. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /**
   * How many free pages the file should have, so that what the next transaction writes finds its
   * place without growth: 1 MiB, a few times what one of small values writes, or less in a small file.
   */
  get headroom(): number {
    return Math.min(256, this.#limit >>> 4)
  }

  /** How many of `pages` are more than the file may have; below 0 where it may grow by some. */
  excess(pages: number): number {
    return pages - this.#limit
  }

  /** Sets the limit anew. SQLite sets none below what a file has, which it may have given back. */
  renew(): void {
    if (!this.#isHeld) this.#apply(this.#maxPages)
  }

  /**
   * Looks whether the disk is nearly full: about 5 µs, and the time to move the log into the file
   * where it has just become so.
   *
   * @param logPages length of the log. While it is moved, log and file may grow by as much again.
   */
  lookAtDisk(logPages: number): void {
    const { bavail, bsize } = statfsSync(this.#db.name)
    const isLow = bavail * bsize < 2 * logPages * this.#pageSize
    if (isLow === this.#isHeld) return
    // Now, while there is room: from here on the file has all its pages.
    if (isLow && !restartLog(this.#db)) return
    this.#isHeld = isLow
    this.#apply(
      isLow ? (this.#db.pragma('page_count', { simple: true }) as number) : this.#maxPages,
    )
  }

  #apply(pages: number): void {
    this.#limit = pages
    this.#db.pragma(`max_page_count = ${pages}`)
  }
}

/**
 * Moves the whole log into the file, so that it is written again from its start, in room that it
 * has already. Stops the event loop until the disk has it all: some 100 ms at worst.
 *
 * @returns false where someone reads or writes just now.
 */
export function restartLog(db: Sqlite.Database): boolean {
  const [row] = db.pragma('wal_checkpoint(RESTART)') as { busy: number }[]
  return row?.busy === 0
}
