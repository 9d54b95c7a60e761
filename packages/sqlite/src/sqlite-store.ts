import { expiryOf, L2Error, now } from '@l2/core'
import {
  type Cursor,
  type Expired,
  findExpired,
  removeAll,
  removeEntry,
  removeExpired,
  removeTagged,
  type Slice,
} from './sqlite-bulk.js'
import type { SqliteClient } from './sqlite-client.js'
import { isOld } from './sqlite-eviction.js'
import { sizeOf } from './sqlite-size.js'
import { keyOf, LAYOUT_VERSION, type Statements } from './sqlite-sql.js'
import { addTags, changeTags, encodeTags } from './sqlite-tags.js'

const NOTHING_THERE = { removed: 0 }

/** Freed pages stay in the file for the next entries up to this share of it, and 1 MiB. */
const SPARE_SHARE = 1 / 4
const SPARE_PAGES = 256

/** Pages given back in one step: about 1 ms. */
const SHRINK_PAGES = 128

/**
 * The entries of one prefix in one file. Every method is synchronous, and all but `get` and
 * `findExpired` are called within a write transaction.
 */
export class SqliteStore {
  readonly #client: SqliteClient
  readonly #prefix: string
  /** Whether entries are evicted, the oldest first. */
  readonly #isBounded: boolean

  constructor(client: SqliteClient, prefix: string, isBounded: boolean) {
    this.#client = client
    this.#prefix = prefix
    this.#isBounded = isBounded
  }

  get(key: string): Uint8Array | undefined {
    const sql = this.#client.statements()
    const prefix = this.#findPrefix(sql)
    return prefix === undefined ? undefined : sql.readValue.get(keyOf(prefix, key), now())
  }

  set(key: string, value: Uint8Array, ttl: number, tags: readonly string[]): void {
    const sql = this.#client.statements()
    const prefix = this.#findPrefix(sql) ?? this.#addPrefix(sql)
    const name = keyOf(prefix, key)
    const newId = now() * 1_000
    const expiry = expiryOf(ttl)
    if (this.#client.size.isLimited) this.#client.written += sizeOf(key, value, tags)
    if (tags.length === 0 && !this.#isBounded) {
      // One statement, but where the entry that is there has tags.
      const put = sql.putUntagged.run(newId, prefix, name, expiry, '', value)
      if (put.changes > 0) return
    }
    const encoded = encodeTags(tags)
    const old = this.#findToReplace(sql, name, newId)
    if (old === undefined) {
      const added = sql.addEntry.run(newId, prefix, name, expiry, encoded, value)
      addTags(sql, prefix, Number(added.lastInsertRowid), tags)
      return
    }
    const [id, oldTags] = old
    sql.replaceEntry.run(expiry, encoded, value, id)
    if (oldTags !== encoded) changeTags(sql, prefix, id, oldTags, tags)
  }

  delete(key: string): void {
    const sql = this.#client.statements()
    const prefix = this.#findPrefix(sql)
    if (prefix === undefined) return
    // One statement, but where it has tags.
    const name = keyOf(prefix, key)
    if (sql.removeUntagged.run(name).changes > 0) return
    const entry = sql.findEntry.get(name)
    if (entry !== undefined) removeEntry(sql, entry[0])
  }

  /** One slice of a `deleteByTag`. */
  removeTagged(tag: string, cursor?: Cursor<number>): Slice<number> {
    const sql = this.#client.statements()
    const prefix = this.#findPrefix(sql)
    return prefix === undefined ? NOTHING_THERE : removeTagged(sql, prefix, tag, cursor)
  }

  /** One slice of a `clear`. */
  removeAll(cursor?: Cursor<string>): Slice<string> {
    const sql = this.#client.statements()
    const prefix = this.#findPrefix(sql)
    return prefix === undefined ? NOTHING_THERE : removeAll(sql, prefix, cursor)
  }

  /** One step of the search for what has expired, of all prefixes: one may have no process any more. */
  findExpired(cursor?: Cursor<number>): Expired {
    return findExpired(this.#client.statements(), cursor)
  }

  /** Removes some of what {@link findExpired} found, and tells how many it has looked at. */
  removeExpired(ids: readonly number[]): { readonly removed: number; readonly seen: number } {
    return removeExpired(this.#client.statements(), ids)
  }

  /** How many free pages the file can give back: what it has more than it needs, or may have. */
  sparePages(): number {
    const { size } = this.#client
    const sql = this.#client.statements()
    const pages = sql.pages.get() ?? 0
    const free = sql.freePages.get() ?? 0
    const excess = size.excess(pages)
    if (excess > 0) return Math.min(free, excess)
    // Where the disk is nearly full, others would take them, and never give them back.
    if (size.isHeld) return 0
    return Math.max(0, Math.floor(free - (pages - free) * SPARE_SHARE - SPARE_PAGES))
  }

  /** Whether the file is larger than it may be, and has nothing to give back yet. */
  isOverfull(): boolean {
    const sql = this.#client.statements()
    const excess = this.#client.size.excess(sql.pages.get() ?? 0)
    return excess > (sql.freePages.get() ?? 0) && sql.oldestId.get() !== null
  }

  /**
   * Gives some of {@link sparePages} back to the file system, and tells whether it could: where
   * someone took `auto_vacuum` from the file, it can't.
   */
  shrink(): boolean {
    const { freePages } = this.#client.statements()
    const before = freePages.get() ?? 0
    this.#client.shrink(Math.min(this.sparePages(), SHRINK_PAGES))
    this.#client.size.renew()
    return (freePages.get() ?? 0) < before
  }

  /**
   * Writes to the file and changes nothing: fails where the file takes no writes. On a disk that is
   * almost full it may succeed where a `set`, which writes more pages, fails. A transaction that
   * is rolled back would not do: it reaches no disk.
   */
  touch(): void {
    const sql = this.#client.statements()
    const version = sql.layoutVersion.get()
    if (version !== LAYOUT_VERSION)
      throw new L2Error(
        'L2_SCHEMA_MISMATCH',
        `another process has changed the file to layout ${version}; this version of @l2/sqlite ` +
          `knows layout ${LAYOUT_VERSION}.`,
      )
    sql.touch.run()
  }

  #findToReplace(
    sql: Statements,
    name: string,
    newId: number,
  ): [id: number, tags: string] | undefined {
    const entry = sql.findEntry.get(name)
    if (entry === undefined || !this.#isBounded || !isOld(sql, entry[0], newId)) return entry
    removeEntry(sql, entry[0])
    return undefined
  }

  /** The id of the prefix. `undefined`: there is nothing under it. */
  #findPrefix(sql: Statements): number | undefined {
    const { prefixes } = this.#client
    const known = prefixes.get(this.#prefix)
    if (known !== undefined) return known
    const found = sql.findPrefix.get(this.#prefix)
    if (found !== undefined) prefixes.set(this.#prefix, found)
    return found
  }

  #addPrefix(sql: Statements): number {
    const id = Number(sql.addPrefix.run(this.#prefix).lastInsertRowid)
    this.#client.prefixes.set(this.#prefix, id)
    return id
  }
}
