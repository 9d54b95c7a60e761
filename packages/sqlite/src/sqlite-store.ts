import { expiryOf, L2Error, now } from '@l2/core'
import {
  type Cursor,
  removeAll,
  removeEntry,
  removeExpired,
  removeTagged,
  type Slice,
} from './sqlite-bulk.js'
import type { SqliteClient } from './sqlite-client.js'
import { LAYOUT_VERSION, type Statements } from './sqlite-sql.js'
import { addTags, changeTags, encodeTags } from './sqlite-tags.js'

const NOTHING_THERE = { removed: 0 }

/** Freed pages stay in the file for the next entries up to this share of it, and 1 MiB. */
const SPARE_SHARE = 1 / 4
const SPARE_PAGES = 256

/** Pages given back in one step: about 1 ms. */
const SHRINK_PAGES = 128

/**
 * The entries of one prefix in one file. Every method is synchronous and one transaction: it takes
 * effect as a whole or, where it throws, not at all.
 */
export class SqliteStore {
  readonly #client: SqliteClient
  readonly #prefix: string
  /** The id of the prefix, once it is known to be in the file. */
  #prefixId: number | undefined
  #sql: Statements | undefined

  constructor(client: SqliteClient, prefix: string) {
    this.#client = client
    this.#prefix = prefix
  }

  get(key: string): Uint8Array | undefined {
    const sql = this.#client.statements()
    const prefix = this.#findPrefix(sql)
    return prefix === undefined ? undefined : sql.readValue.get(prefix, key, now())
  }

  set(key: string, value: Uint8Array, ttl: number, tags: readonly string[]): void {
    this.#write(sql => {
      const prefix = this.#findPrefix(sql) ?? this.#addPrefix(sql)
      const expiry = expiryOf(ttl)
      const encoded = encodeTags(tags)
      const old = sql.findEntry.get(prefix, key)
      if (old === undefined) {
        const added = sql.addEntry.run(now() * 1_000, prefix, key, expiry, encoded, value)
        addTags(sql, prefix, Number(added.lastInsertRowid), tags)
        return
      }
      const [id, oldTags] = old
      sql.replaceEntry.run(expiry, encoded, value, id)
      if (oldTags !== encoded) changeTags(sql, prefix, id, oldTags, tags)
    })
  }

  delete(key: string): void {
    this.#write(sql => {
      const prefix = this.#findPrefix(sql)
      const entry = prefix === undefined ? undefined : sql.findEntry.get(prefix, key)
      if (entry !== undefined) removeEntry(sql, entry[0])
    })
  }

  /** One slice of a `deleteByTag`. */
  removeTagged(tag: string, cursor?: Cursor<number>): Slice<number> {
    return this.#write(sql => {
      const prefix = this.#findPrefix(sql)
      return prefix === undefined ? NOTHING_THERE : removeTagged(sql, prefix, tag, cursor)
    })
  }

  /** One slice of a `clear`. */
  removeAll(cursor?: Cursor<string>): Slice<string> {
    return this.#write(sql => {
      const prefix = this.#findPrefix(sql)
      return prefix === undefined ? NOTHING_THERE : removeAll(sql, prefix, cursor)
    })
  }

  /** One slice of a sweep, which is over all prefixes: a prefix may have no process any more. */
  removeExpired(cursor?: Cursor<number>): Slice<number> {
    return removeExpired(this.#client.statements(), work => this.#write(work), cursor)
  }

  /**
   * Gives some of the free pages back to the file system, and tells whether more can be: where
   * someone took `auto_vacuum` from the file, none can.
   */
  shrink(): boolean {
    const sql = this.#client.statements()
    const free = sql.freePages.get() ?? 0
    const used = (sql.pages.get() ?? 0) - free
    const spare = Math.floor(free - used * SPARE_SHARE - SPARE_PAGES)
    if (spare <= 0) return false
    this.#client.shrink(Math.min(spare, SHRINK_PAGES))
    return spare > SHRINK_PAGES && (sql.freePages.get() ?? 0) < free
  }

  /**
   * Writes to the file and changes nothing: fails where the file takes no writes. On a disk that is
   * almost full it may succeed where a `set`, which writes more pages, fails. A transaction that
   * is rolled back would not do: it reaches no disk.
   */
  touch(): void {
    this.#write(sql => {
      const version = sql.layoutVersion.get()
      if (version !== LAYOUT_VERSION)
        throw new L2Error(
          'L2_SCHEMA_MISMATCH',
          `another process has changed the file to layout ${version}; this version of @l2/sqlite ` +
            `knows layout ${LAYOUT_VERSION}.`,
        )
      sql.touch.run()
    })
  }

  #write<T>(work: (sql: Statements) => T): T {
    // The row of the prefix may have been added by what is undone.
    return this.#client.write(work, () => (this.#prefixId = undefined))
  }

  /** The id of the prefix. `undefined`: there is nothing under it. */
  #findPrefix(sql: Statements): number | undefined {
    if (sql !== this.#sql) this.#prefixId = undefined
    this.#sql = sql
    this.#prefixId ??= sql.findPrefix.get(this.#prefix)
    return this.#prefixId
  }

  #addPrefix(sql: Statements): number {
    this.#prefixId = Number(sql.addPrefix.run(this.#prefix).lastInsertRowid)
    return this.#prefixId
  }
}
