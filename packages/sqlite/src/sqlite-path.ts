import { accessSync, constants, existsSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { L2Error } from '@l2/core'
import Database from 'better-sqlite3'
import { leftBehindError, notDatabaseError } from './sqlite-errors.js'
import { inspect } from './sqlite-layout.js'

/**
 * Refuses a path that can't be ours before SQLite opens it for writing, and creates the file where
 * there is none. Looks into the file through SQLite alone: to open and close it by other means
 * would drop the locks that this process holds on it (sqlite.org/howtocorrupt.html, section 2.2).
 *
 * Cost: some system calls for a new file; about 0.3 ms for one that is there.
 *
 * @param file the path as messages show it.
 * @throws L2Error `L2_UNAVAILABLE`, `L2_READ_ONLY`, `L2_UNSUITABLE_BACKEND`, `L2_SCHEMA_MISMATCH`.
 */
export function preparePath(path: string, file: string): void {
  if (sizeOf(path, file) === 0) {
    checkAlone(path, file)
    if (!existsSync(path)) create(path, file)
    return
  }
  // For writing, SQLite would finish what a crashed program left in its log. For reading, it would
  // leave an empty log behind where there was none.
  const readonly = besideFile(path, ['-wal', '-journal']).length > 0
  const db = new Database(path, { readonly, fileMustExist: true, timeout: 0 })
  try {
    inspect(db, file)
  } finally {
    db.close()
  }
}

/** In bytes. 0: it is empty, or not there. */
function sizeOf(path: string, file: string): number {
  const stat = statSync(path, { throwIfNoEntry: false })
  // SQLite takes a file of one byte for an empty one (a workaround in its `unixFileSize`).
  if (stat?.isFile() && stat.size === 1) throw notDatabaseError(file)
  if (stat === undefined || stat.isFile()) return stat?.size ?? 0
  throw new L2Error(
    'L2_UNSUITABLE_BACKEND',
    `${file} is ${stat.isDirectory() ? 'a directory' : 'not a regular file'}: \`path\` names ` +
      'the file itself.',
  )
}

/**
 * What stands beside a file that is gone may be open in other processes. They would share it with a
 * new file of that name, and damage what is in both; a log that a crash left would be played into
 * it (sqlite.org/howtocorrupt.html, sections 1.4 and 2.5).
 */
function checkAlone(path: string, file: string): void {
  // An empty file with a journal is one that another program is about to write to.
  const left = besideFile(path, ['-wal', '-shm', ...(existsSync(path) ? [] : ['-journal'])])
  // Another process may have created it just now: it has its first page before anything is beside.
  if (left.length > 0 && sizeOf(path, file) === 0) throw leftBehindError(file, left)
}

function create(path: string, file: string): void {
  const directory = dirname(targetOf(path))
  if (!existsSync(directory))
    throw new L2Error(
      'L2_UNAVAILABLE',
      `the directory of ${file} does not exist: create it, or correct \`path\`.`,
    )
  try {
    accessSync(directory, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new L2Error(
      'L2_READ_ONLY',
      `${file} does not exist, and this process may not create it: give it the right to write ` +
        'in that directory.',
      { cause },
    )
  }
  // Empty, so that its identity is known before anything is written to it.
  new Database(path, { timeout: 0 }).close()
}

/** Which of the files that SQLite names after `path` are there. */
function besideFile(path: string, suffixes: readonly string[]): string[] {
  const target = targetOf(path)
  return suffixes.filter(suffix => existsSync(`${target}${suffix}`))
}

/** Where a chain of symbolic links leads, also to nothing: SQLite names other files after that. */
export function targetOf(path: string): string {
  for (let target = path; ; ) {
    try {
      const link = readlinkSync(target)
      target = resolve(realpathSync(dirname(target)), link)
    } catch {
      return target
    }
  }
}
