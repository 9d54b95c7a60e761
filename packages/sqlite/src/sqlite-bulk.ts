import { now } from '@l2/core'
import { endOf, keyOf, type Statements } from './sqlite-sql.js'
import { removeTags } from './sqlite-tags.js'
import { SLICE } from './sqlite-turn.js'

/** Rows looked up at a time. */
const BATCH = 256

/** Where bulk work goes on: behind what it has seen, up to the largest id when it began. */
export interface Cursor<T extends number | string> {
  readonly from: T
  readonly until: number
}

/** What one slice did, and where the next begins. `next` is absent after the last. */
export interface Slice<T extends number | string> {
  readonly removed: number
  readonly next?: Cursor<T>
}

/**
 * Removes entries that carry `tag`. Within a write transaction.
 *
 * The cursor moves forward to an end that was fixed when it began, so it ends however fast others
 * go on setting the tag. An entry that was set again without the tag has no row any more: it stays.
 */
export function removeTagged(
  sql: Statements,
  prefix: number,
  tag: string,
  cursor: Cursor<number> = startOf(sql, 0),
): Slice<number> {
  const ids = sql.tagged.all(prefix, tag, cursor.from, cursor.until, BATCH)
  const { removed, seen } = removeInTime(ids, id => removeEntry(sql, id))
  return { removed, ...goOn(ids, seen, cursor, id => id) }
}

/** Removes entries under `prefix`. Within a write transaction. It ends as {@link removeTagged} does. */
export function removeAll(
  sql: Statements,
  prefix: number,
  cursor: Cursor<string> = startOf(sql, keyOf(prefix, '')),
): Slice<string> {
  const rows = sql.keysFrom.all(cursor.from, endOf(prefix), cursor.until, BATCH)
  const { removed, seen } = removeInTime(rows, ([id]) => removeEntry(sql, id))
  return { removed, ...goOn(rows, seen, cursor, ([, key]) => key) }
}

/** What one step of a search found, and where the next begins. */
export interface Expired {
  readonly ids: readonly number[]
  readonly next?: Cursor<number>
}

/** Looks for expired entries of all prefixes. Needs no transaction. */
export function findExpired(sql: Statements, cursor: Cursor<number> = startOf(sql, 0)): Expired {
  const end = performance.now() + SLICE
  for (let { from } = cursor; ; ) {
    const time = now()
    const rows = sql.expiries.all(from, cursor.until, BATCH)
    const ids = rows.filter(([, expiry]) => expiry <= time).map(([id]) => id)
    const rest = goOn(rows, rows.length, cursor, ([id]) => id)
    if (ids.length > 0 || rest.next === undefined || performance.now() > end)
      return { ids, ...rest }
    from = rest.next.from
  }
}

/** Removes those of `ids` that have expired. Within a write transaction. */
export function removeExpired(sql: Statements, ids: readonly number[]) {
  const time = now()
  // Looked at again: it may have been set again since.
  return removeInTime(ids, id => removeTagsOf(sql, id, sql.removeExpired.get(id, time)))
}

/** Removes one entry with its tag rows. Within a write transaction. */
export function removeEntry(sql: Statements, id: number): boolean {
  return removeTagsOf(sql, id, sql.removeEntry.get(id))
}

function removeTagsOf(
  sql: Statements,
  id: number,
  entry: [prefix: number, tags: string] | undefined,
): boolean {
  if (entry === undefined) return false
  removeTags(sql, entry[0], id, entry[1])
  return true
}

function startOf<T extends number | string>(sql: Statements, from: T): Cursor<T> {
  return { from, until: sql.largestId.get() ?? 0 }
}

function removeInTime<R>(
  rows: readonly R[],
  remove: (row: R) => boolean,
): { readonly removed: number; readonly seen: number } {
  const end = performance.now() + SLICE
  let removed = 0
  let seen = 0
  for (const row of rows) {
    if (remove(row)) removed++
    seen++
    if (performance.now() > end) break
  }
  return { removed, seen }
}

/** Fewer rows than were asked for, and all of them seen: that was the end. */
function goOn<R, T extends number | string>(
  rows: readonly R[],
  seen: number,
  cursor: Cursor<T>,
  position: (row: R) => T,
): { readonly next?: Cursor<T> } {
  const last = rows[seen - 1]
  if (last === undefined || (seen === rows.length && rows.length < BATCH)) return {}
  return { next: { from: position(last), until: cursor.until } }
}
