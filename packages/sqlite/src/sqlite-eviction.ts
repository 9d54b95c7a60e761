import { removeEntry } from './sqlite-bulk.js'
import type { Statements } from './sqlite-sql.js'
import { SLICE } from './sqlite-turn.js'

/** Entries looked up at a time. */
const BATCH = 16

/**
 * Whether an entry has its place among the older half of all, by time: ids follow the clock. Then it
 * moves up when it is set again, which costs as much as a new entry and so is not done each time.
 */
export function isOld(sql: Statements, id: number, nextId: number): boolean {
  return id < ((sql.oldestId.get() ?? id) + nextId) / 2
}

/**
 * Removes the oldest entries, of all prefixes and expired or not, until the file has `pages` free
 * pages or the time for one slice is over. Within a write transaction.
 *
 * @returns how many it removed.
 */
export function evict(sql: Statements, pages: number): number {
  const end = performance.now() + SLICE
  let removed = 0
  for (let ids: number[] = []; (sql.freePages.get() ?? 0) < pages; ) {
    if (ids.length === 0) ids = sql.oldest.all(BATCH)
    const id = ids.shift()
    if (id === undefined) break
    removeEntry(sql, id)
    removed++
    if (performance.now() > end) break
  }
  return removed
}
