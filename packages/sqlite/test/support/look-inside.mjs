// @ts-check
import Database from 'better-sqlite3'

/**
 * The rows of every table, by looking into the file.
 *
 * @param {string} path
 * @returns {{ prefix: number, entry: number, tag: number }}
 */
export function rowsIn(path) {
  return inspecting(path, db => {
    const count = (/** @type {string} */ table) =>
      /** @type {number} */ (db.prepare(`SELECT count(*) FROM ${table}`).pluck().get())
    return { prefix: count('prefix'), entry: count('entry'), tag: count('tag') }
  })
}

/**
 * What is wrong in the file: a damaged page, or tag rows that are not those of the entries.
 *
 * @param {string} path
 * @returns {string[]}
 */
export function faultsIn(path) {
  return inspecting(path, db => {
    const faults = /** @type {{ integrity_check: string }[]} */ (db.pragma('integrity_check'))
      .map(row => row.integrity_check)
      .filter(line => line !== 'ok')
    /** @type {{ prefix: number, id: number, tags: string }[]} */
    const entries = /** @type {any} */ (db.prepare('SELECT prefix, id, tags FROM entry').all())
    const expected = entries.flatMap(({ prefix, id, tags }) =>
      (tags === '' ? [] : JSON.parse(tags)).map((/** @type {string} */ tag) =>
        JSON.stringify([prefix, tag, id]),
      ),
    )
    const rows = db.prepare('SELECT prefix, tag, entry FROM tag').raw().all()
    const present = new Set(rows.map(row => JSON.stringify(row)))
    for (const row of expected)
      if (!present.delete(row)) faults.push(`an entry without its tag row: ${row}`)
    for (const row of present) faults.push(`a tag row without its entry: ${row}`)
    return faults
  })
}

/**
 * @template T
 * @param {string} path
 * @param {(db: Database.Database) => T} look
 * @returns {T}
 */
function inspecting(path, look) {
  const db = new Database(path, { readonly: true, fileMustExist: true })
  try {
    return db.transaction(() => look(db))()
  } finally {
    db.close()
  }
}
