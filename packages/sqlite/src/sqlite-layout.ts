import { L2Error } from '@l2/core'
import type Database from 'better-sqlite3'
import { foreignError, unsharedError } from './sqlite-errors.js'
import { APPLICATION_ID, CREATE_LAYOUT, LAYOUT_VERSION } from './sqlite-sql.js'

/**
 * Tells whether a database is blank (nobody's yet) or has our layout.
 *
 * @throws L2Error `L2_UNSUITABLE_BACKEND` where it is someone else's, `L2_SCHEMA_MISMATCH` where
 * its layout is of another version.
 */
export function inspect(db: Database.Database, file: string): 'blank' | 'ours' {
  // One snapshot, or another process that creates the layout meanwhile would look like a stranger.
  const [id, version, tables] = db.transaction(() => [
    db.pragma('application_id', { simple: true }) as number,
    db.pragma('user_version', { simple: true }) as number,
    db.prepare<[], number>('SELECT count(*) FROM sqlite_schema').pluck().get() as number,
  ])() as [number, number, number]
  if (id === 0 && version === 0 && tables === 0) return 'blank'
  if (id !== APPLICATION_ID) throw foreignError(file)
  if (version === LAYOUT_VERSION) return 'ours'
  throw new L2Error(
    'L2_SCHEMA_MISMATCH',
    `${file} has layout ${version}, and this version of @l2/sqlite knows layout ` +
      `${LAYOUT_VERSION}: use one version in all processes, or give this one a file of its own.`,
  )
}

/** What `PRAGMA auto_vacuum` answers where freed pages can be given back. */
const INCREMENTAL = 2

/**
 * Makes a blank file ours. Several processes may do it at once, and any of them may be killed.
 *
 * @throws L2Error as {@link inspect} and {@link useWriteAheadLog} do.
 */
export function createLayout(db: Database.Database, file: string): void {
  if (db.pragma('journal_mode', { simple: true }) !== 'wal') {
    // No journal on disk for the one page that this writes: a process that is killed here leaves
    // a blank database or an empty file, never a journal that makes it look like someone else's.
    db.pragma('journal_mode = MEMORY')
    // Only possible before the first page is written.
    db.pragma('auto_vacuum = INCREMENTAL')
  }
  useWriteAheadLog(db, file)
  if (db.pragma('auto_vacuum', { simple: true }) !== INCREMENTAL) {
    // It had a page already. VACUUM changes the mode all the same, and in WAL mode it is one
    // transaction like any other: others may have the file open, and this process may be killed.
    db.pragma('auto_vacuum = INCREMENTAL')
    db.exec('VACUUM')
  }
  db.transaction(() => {
    // Another process may have been first.
    if (inspect(db, file) === 'blank') db.exec(CREATE_LAYOUT)
  }).immediate()
}

/**
 * Readers and the writer don't wait for each other in this mode. It is kept in the file.
 *
 * @throws L2Error `L2_UNSUITABLE_BACKEND` where the file system can't share memory between
 * processes, which this needs (sqlite.org/wal.html).
 */
export function useWriteAheadLog(db: Database.Database, file: string): void {
  if (db.memory || db.pragma('journal_mode = WAL', { simple: true }) === 'wal') return
  throw unsharedError(file)
}
