import Database from 'better-sqlite3'

/** The rows of every table, by looking into the file. */
export function rowsIn(path: string): { prefix: number; entry: number; tag: number } {
  return inspecting(path, db => {
    const count = (table: string) => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()
    return {
      prefix: count('prefix') as number,
      entry: count('entry') as number,
      tag: count('tag') as number,
    }
  })
}

/** What is wrong in the file: a damaged page, or tag rows that are not those of the entries. */
export function faultsIn(path: string): string[] {
  return inspecting(path, db => {
    const faults = (db.pragma('integrity_check') as { integrity_check: string }[])
      .map(row => row.integrity_check)
      .filter(line => line !== 'ok')
    const entries = db.prepare('SELECT prefix, id, tags FROM entry').all()
    const expected = (entries as { prefix: number; id: number; tags: string }[]).flatMap(entry =>
      (entry.tags === '' ? [] : (JSON.parse(entry.tags) as string[])).map(tag =>
        JSON.stringify([entry.prefix, tag, entry.id]),
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

function inspecting<T>(path: string, look: (db: Database.Database) => T): T {
  const db = new Database(path, { readonly: true, fileMustExist: true })
  try {
    return db.transaction(() => look(db))()
  } finally {
    db.close()
  }
}
