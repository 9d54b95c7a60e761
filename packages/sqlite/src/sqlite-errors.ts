import { type Failure, L2Error, type L2ErrorCode } from '@l2/core'

/**
 * Whether the file was locked by someone else just now: try again. With our busy timeout of 0 it
 * is the answer to every lock (sqlite.org/rescode.html).
 */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error)
  return (
    code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED') || code === 'SQLITE_PROTOCOL'
  )
}

/** Whether the file may not grow, or the disk is full. */
export const isFull = (error: unknown): boolean => codeOf(error) === 'SQLITE_FULL'

/** Whether the file holds what SQLite, or this package, never wrote. */
export function isDamage(error: unknown): boolean {
  const code = codeOf(error)
  // No constraint of ours can fail but in an index that is not that of its table.
  return /^SQLITE_(CORRUPT|NOTADB|CONSTRAINT)/.test(code)
}

/** Whether a statement could not be compiled: what it needs of a table is not there. */
const isStatementError = (code: string, message: string): boolean =>
  code === 'SQLITE_ERROR' && /no such (table|column)|does not match any .* constraint/.test(message)

/** What the operating system says of a path that can't name a file, whatever anyone creates. */
const WRONG_PATHS: ReadonlyMap<string, string> = new Map([
  ['ENOTDIR', 'something on the way to it is not a directory'],
  ['ELOOP', 'symbolic links on the way to it go round in a circle'],
  ['ENAMETOOLONG', 'the path, or a name in it, is too long'],
])

/**
 * What an error of better-sqlite3 or the operating system means, and the remedy.
 *
 * @param file the path as messages show it.
 * @returns `undefined` for what has no remedy to name: `L2_UNAVAILABLE` then.
 */
export function describeError(error: unknown, file: string): Failure | undefined {
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : ''
  // The second is that of opening a file.
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE')
    return failure(
      'L2_FULL',
      `no room left for ${file}, which deletes need too: free some space on its disk, or remove ` +
        'it together with its -wal and -shm files, also while processes use it.',
    )
  // SQLite itself sees that only now and then.
  if (code === 'SQLITE_READONLY_DBMOVED') return movedError(file)
  if (code.startsWith('SQLITE_READONLY'))
    return failure(
      'L2_READ_ONLY',
      `${file} does not take writes: give this process the right to write the file and its ` +
        'directory, and mount the file system for writing.',
    )
  if (isDamage(error))
    return failure(
      'L2_CORRUPT_STORE',
      `${file} is damaged. It is a cache: remove it together with its -wal and -shm files; ` +
        'processes that use it go on with a new one within a second.',
    )
  if (isStatementError(code, message))
    return failure(
      'L2_SCHEMA_MISMATCH',
      `the tables in ${file} are not those of this version of @l2/sqlite: use one version in all ` +
        'processes, or give this one a file of its own.',
    )
  if (code === 'SQLITE_TOOBIG')
    return failure('L2_UNSUPPORTED', 'the value is larger than SQLite takes (about 1 GB).')
  if (code.startsWith('SQLITE_CANTOPEN'))
    return failure(
      'L2_UNAVAILABLE',
      `SQLite can't open ${file}: this process needs the right to read and write the file and to ` +
        'create files beside it (-wal and -shm), on a file system that takes writes.',
    )
  if (code === 'SQLITE_IOERR_SHMMAP') return unsharedError(file)
  if (code.startsWith('SQLITE_IOERR'))
    return failure(
      'L2_UNAVAILABLE',
      `the operating system failed to read or write ${file} (${code}): is its disk there, not ` +
        'full, and within the limits of this process?',
    )
  if (
    code === 'ERR_DLOPEN_FAILED' ||
    code === 'ERR_DLOPEN_DISABLED' ||
    message.startsWith('Could not locate the bindings file')
  )
    return failure(
      'L2_UNSUITABLE_BACKEND',
      'the native module of better-sqlite3 is not built, or not for this version of Node.js: run ' +
        '`npm rebuild better-sqlite3`, or with pnpm `pnpm approve-builds` (it needs python3, make ' +
        'and a C++ compiler where no binary can be had).',
    )
  if (code === 'EACCES' || code === 'EPERM')
    return failure(
      'L2_UNAVAILABLE',
      'give this process the right to search (x) the directories on the way to the file, or ' +
        `correct \`path\`: ${file}`,
    )
  const wrong = WRONG_PATHS.get(code)
  if (wrong !== undefined)
    // The path comes last: a long message is cut short.
    return failure('L2_UNSUITABLE_BACKEND', `correct \`path\`: ${wrong}: ${file}`)
  return undefined
}

/** {@link describeError} for what failed while a file was opened: it may never have been ours. */
export function openingError(error: unknown, file: string): unknown {
  if (isBusy(error) || error instanceof L2Error) return error
  const code = codeOf(error)
  if (code === 'SQLITE_NOTADB') return notDatabaseError(file, error)
  // A rollback that waits to be done, in a file that is not in WAL mode: never one of ours.
  if (code === 'SQLITE_READONLY_ROLLBACK') return foreignError(file)
  return error
}

/** The error for a file system on which processes can't share memory, as SQLite's log needs it. */
export function unsharedError(file: string): L2Error {
  return new L2Error(
    'L2_UNSUITABLE_BACKEND',
    `the file system of ${file} can't do SQLite's write-ahead log: use a local disk.`,
  )
}

/** The error for a file that is no SQLite database. */
export function notDatabaseError(file: string, cause?: unknown): L2Error {
  return new L2Error(
    'L2_UNSUITABLE_BACKEND',
    `${file} is not a SQLite database, and was left as it is: correct \`path\`, or remove the ` +
      'file where nothing needs it.',
    cause === undefined ? {} : { cause },
  )
}

/** The error for a SQLite database that is not ours. */
export function foreignError(file: string): L2Error {
  return new L2Error(
    'L2_UNSUITABLE_BACKEND',
    `${file} is the SQLite database of another program, and was left as it is: give the cache a ` +
      '`path` of its own.',
  )
}

/** The error for a file that its path does not name any more. */
export function movedError(file: string): L2Error {
  return new L2Error(
    'L2_UNAVAILABLE',
    `${file} was deleted or replaced: call again to use what is there now, or a new file.`,
  )
}

/** The error for a file that is gone, or another, while what SQLite put beside it is still there. */
export function leftBehindError(file: string, suffixes: readonly string[]): L2Error {
  return new L2Error(
    'L2_UNAVAILABLE',
    `${file} was deleted or replaced, but not what belongs to it, ${suffixes.join(', ')}: remove ` +
      'these too.',
  )
}

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : ''
}

const failure = (code: L2ErrorCode, message: string): Failure => ({ code, message })
