import { L2Error } from '@l2/core'
import { expect, test } from 'vitest'
import { describeError, isBusy, openingError } from './sqlite-errors.js'

const FILE = '"/data/cache.db"'
const driverError = (code: string, message = 'x') => Object.assign(new Error(message), { code })

test.each(['SQLITE_BUSY', 'SQLITE_BUSY_RECOVERY', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_PROTOCOL'])(
  '%s is tried again',
  code => expect(isBusy(driverError(code))).toBe(true),
)

test.each([
  undefined,
  null,
  'SQLITE_BUSY',
  new Error('x'),
  driverError('SQLITE_FULL'),
  { code: 5 },
])('%s is not', error => expect(isBusy(error)).toBe(false))

test.each([
  ['SQLITE_FULL', 'L2_FULL', 'free some space'],
  ['SQLITE_FULL', 'L2_FULL', 'remove it'],
  ['SQLITE_IOERR_SHMSIZE', 'L2_FULL', 'free some space'],
  ['SQLITE_READONLY', 'L2_READ_ONLY', 'right to write'],
  ['SQLITE_READONLY_DIRECTORY', 'L2_READ_ONLY', 'right to write'],
  ['SQLITE_READONLY_DBMOVED', 'L2_UNAVAILABLE', 'call again'],
  ['SQLITE_CORRUPT', 'L2_CORRUPT_STORE', 'remove it'],
  ['SQLITE_CORRUPT_VTAB', 'L2_CORRUPT_STORE', 'remove it'],
  ['SQLITE_NOTADB', 'L2_CORRUPT_STORE', 'remove it'],
  ['SQLITE_CONSTRAINT_PRIMARYKEY', 'L2_CORRUPT_STORE', 'remove it'],
  ['SQLITE_TOOBIG', 'L2_UNSUPPORTED', '1 GB'],
  ['SQLITE_CANTOPEN', 'L2_UNAVAILABLE', 'the right to read and write'],
  ['SQLITE_CANTOPEN', 'L2_UNAVAILABLE', 'a file system that takes writes'],
  ['SQLITE_IOERR_SHMMAP', 'L2_UNSUITABLE_BACKEND', 'local disk'],
  ['SQLITE_IOERR_WRITE', 'L2_UNAVAILABLE', 'is its disk there'],
  ['EACCES', 'L2_UNAVAILABLE', 'right to search'],
  ['EPERM', 'L2_UNAVAILABLE', 'right to search'],
  ['ENOTDIR', 'L2_UNSUITABLE_BACKEND', 'correct `path`'],
  ['ERR_DLOPEN_FAILED', 'L2_UNSUITABLE_BACKEND', 'npm rebuild better-sqlite3'],
  ['ERR_DLOPEN_FAILED', 'L2_UNSUITABLE_BACKEND', 'pnpm approve-builds'],
])('%s is %s and names the remedy', (code, expected, remedy) => {
  const failure = describeError(driverError(code), FILE)
  expect(failure?.code).toBe(expected)
  expect(failure?.message).toContain(remedy)
})

test('a table that is gone is another layout, a module that is gone is a remedy', () => {
  const gone = driverError('SQLITE_ERROR', 'no such table: entry')
  expect(describeError(gone, FILE)?.code).toBe('L2_SCHEMA_MISMATCH')
  const unbuilt = new Error('Could not locate the bindings file. Tried: ...')
  expect(describeError(unbuilt, FILE)?.message).toMatch(/not built.*npm rebuild.*approve-builds/)
  expect(describeError(driverError('SQLITE_ERROR', 'near "x"'), FILE)).toBeUndefined()
  expect(describeError('thrown text', FILE)).toBeUndefined()
})

test('a file that never was a database is not called damaged', () => {
  expect(openingError(driverError('SQLITE_NOTADB'), FILE)).toMatchObject({
    code: 'L2_UNSUITABLE_BACKEND',
  })
  expect(openingError(driverError('SQLITE_READONLY_ROLLBACK'), FILE)).toMatchObject({
    code: 'L2_UNSUITABLE_BACKEND',
  })
  for (const error of [
    driverError('SQLITE_BUSY'),
    driverError('SQLITE_CORRUPT'),
    new L2Error('L2_READ_ONLY', 'x'),
  ])
    expect(openingError(error, FILE)).toBe(error)
})
