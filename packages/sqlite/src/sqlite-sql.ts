import type Sqlite from 'better-sqlite3'

/** Marks a file as ours: "l2sq" in ASCII (sqlite.org/pragma.html#pragma_application_id). */
export const APPLICATION_ID = 0x6c327371

/**
 * The layout below. A later one has other table names and drops these in the same transaction: the
 * statements of an older version that is still running then fail rather than misread.
 */
export const LAYOUT_VERSION = 1

/**
 * - Prefixes have a row each, so that (prefix, key) and (prefix, tag) are pairs, not strings that
 *   someone could make equal. A row stays once it is there: other processes remember its id.
 * - `entry.key` is the id of the prefix, ':' and the key: an index of one text column is found in a
 *   tenth less time than one of two columns (measured), and still holds each prefix in one range.
 * - `entry.value` is last: what stands before it is read without the pages that a long value fills.
 * - `entry.tags` says which rows of `tag` are there (see `sqlite-tags.ts`), always: both change in
 *   one transaction.
 * - No index on `expiry`: it doubles the cost of `set` (measured), and only the sweep would use it.
 */
export const CREATE_LAYOUT = `
  CREATE TABLE prefix (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
  ) STRICT;
  CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    prefix INTEGER NOT NULL,
    key TEXT NOT NULL UNIQUE,
    expiry INTEGER NOT NULL,
    tags TEXT NOT NULL,
    value BLOB NOT NULL
  ) STRICT;
  CREATE TABLE tag (
    prefix INTEGER NOT NULL,
    tag TEXT NOT NULL,
    entry INTEGER NOT NULL,
    PRIMARY KEY (prefix, tag, entry)
  ) WITHOUT ROWID, STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${LAYOUT_VERSION};
`

/** What `entry.key` holds. */
export const keyOf = (prefix: number, key: string): string => `${prefix}:${key}`

/** Behind every `entry.key` of a prefix: ';' follows ':' in UTF-8. */
export const endOf = (prefix: number): string => `${prefix};`

/**
 * Ids follow the clock in µs, and the largest one there is: never used twice, even when the newest
 * entries are removed, so that bulk work that ends at the largest id of its beginning does end.
 */
const NEXT_ID = 'max(?, (SELECT ifnull(max(id), 0) + 1 FROM entry))'

/** A statement that answers nothing. */
interface Command<P extends unknown[]> {
  run(...values: P): { readonly changes: number; readonly lastInsertRowid: number | bigint }
}

/** A statement that answers rows of type `R`. */
interface Query<P extends unknown[], R> {
  get(...values: P): R | undefined
  all(...values: P): R[]
}

/** The statements of one connection. Compiled once; about 20 µs each. */
export function prepareStatements(db: Sqlite.Database) {
  const sql = <P extends unknown[]>(text: string): Command<P> => db.prepare<P>(text)
  const row = <P extends unknown[], R>(text: string): Query<P, R> => db.prepare<P, R>(text).raw()
  const cell = <P extends unknown[], R>(text: string): Query<P, R> => db.prepare<P, R>(text).pluck()
  return {
    begin: sql<[]>('BEGIN IMMEDIATE'),
    commit: sql<[]>('COMMIT'),
    rollback: sql<[]>('ROLLBACK'),

    findPrefix: cell<[name: string], number>('SELECT id FROM prefix WHERE name = ?'),
    addPrefix: sql<[name: string]>('INSERT INTO prefix (name) VALUES (?)'),

    readValue: cell<[key: string, now: number], Uint8Array>(
      'SELECT value FROM entry WHERE key = ? AND expiry > ?',
    ),
    findEntry: row<[key: string], [id: number, tags: string]>(
      'SELECT id, tags FROM entry WHERE key = ?',
    ),
    putUntagged: sql<
      [id: number, prefix: number, key: string, expiry: number, tags: '', value: Uint8Array]
    >(
      'INSERT INTO entry (id, prefix, key, expiry, tags, value) ' +
        `VALUES (${NEXT_ID}, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE ` +
        "SET expiry = excluded.expiry, value = excluded.value WHERE tags = ''",
    ),
    addEntry: sql<
      [id: number, prefix: number, key: string, expiry: number, tags: string, value: Uint8Array]
    >(
      'INSERT INTO entry (id, prefix, key, expiry, tags, value) ' +
        `VALUES (${NEXT_ID}, ?, ?, ?, ?, ?)`,
    ),
    replaceEntry: sql<[expiry: number, tags: string, value: Uint8Array, id: number]>(
      'UPDATE entry SET expiry = ?, tags = ?, value = ? WHERE id = ?',
    ),
    removeUntagged: sql<[key: string]>("DELETE FROM entry WHERE key = ? AND tags = ''"),
    removeEntry: row<[id: number], [prefix: number, tags: string]>(
      'DELETE FROM entry WHERE id = ? RETURNING prefix, tags',
    ),
    removeExpired: row<[id: number, now: number], [prefix: number, tags: string]>(
      'DELETE FROM entry WHERE id = ? AND expiry <= ? RETURNING prefix, tags',
    ),

    addTag: sql<[prefix: number, tag: string, entry: number]>(
      'INSERT INTO tag (prefix, tag, entry) VALUES (?, ?, ?)',
    ),
    removeTag: sql<[prefix: number, tag: string, entry: number]>(
      'DELETE FROM tag WHERE prefix = ? AND tag = ? AND entry = ?',
    ),

    oldestId: cell<[], number | null>('SELECT min(id) FROM entry'),
    oldest: cell<[limit: number], number>('SELECT id FROM entry ORDER BY id LIMIT ?'),
    largestId: cell<[], number>('SELECT ifnull(max(id), 0) FROM entry'),
    tagged: cell<
      [prefix: number, tag: string, after: number, until: number, limit: number],
      number
    >(
      'SELECT entry FROM tag WHERE prefix = ? AND tag = ? AND entry > ? AND entry <= ? ' +
        'ORDER BY entry LIMIT ?',
    ),
    // In the order of keys, which the index has; `+` keeps the planner from walking ids instead,
    // through the entries of all other prefixes.
    keysFrom: row<
      [from: string, end: string, until: number, limit: number],
      [id: number, key: string]
    >('SELECT id, key FROM entry WHERE key >= ? AND key < ? AND +id <= ? ORDER BY key LIMIT ?'),
    expiries: row<[after: number, until: number, limit: number], [id: number, expiry: number]>(
      'SELECT id, expiry FROM entry WHERE id > ? AND id <= ? ORDER BY id LIMIT ?',
    ),

    layoutVersion: cell<[], number>('PRAGMA user_version'),
    // The same number again: it writes the file's first page and changes nothing.
    touch: sql<[]>(`PRAGMA user_version = ${LAYOUT_VERSION}`),
    // Tells how long the log is and how much of it has been moved, and does nothing.
    logState: row<[], [busy: number, pages: number, moved: number]>('PRAGMA wal_checkpoint(NOOP)'),
    pages: cell<[], number>('PRAGMA page_count'),
    freePages: cell<[], number>('PRAGMA freelist_count'),
  }
}

/** What {@link prepareStatements} returns. */
export type Statements = ReturnType<typeof prepareStatements>

/** Gives up to `pages` free pages at the end back to the file system. Not prepared: see `exec`. */
export const shrinkBy = (pages: number): string => `PRAGMA incremental_vacuum(${pages})`
