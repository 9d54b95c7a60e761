import { copyFileSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { openAt, refusal, stateOf } from './support/files.js'
import { temporaryFolder } from './support/folder.js'

test.each([
  ['one byte', Buffer.from('1')],
  ['text', Buffer.from('Not a database, but something that someone needs.\n'.repeat(100))],
  ['a short text', Buffer.from('hello')],
  ['zeros', Buffer.alloc(8_192)],
])('it is not a database: %s', async (_, content) => {
  const path = join(temporaryFolder(), 'file')
  writeFileSync(path, content)
  expect(await refusal(path)).toMatchObject({
    code: 'L2_UNSUITABLE_BACKEND',
    message: expect.stringMatching(/is not a SQLite database.*correct `path`/),
    retryable: false,
  })
  expect(readFileSync(path)).toEqual(content)
})

test.each(['DELETE', 'WAL'])("it is another program's database, in mode %s", async mode => {
  const path = join(temporaryFolder(), 'foreign.db')
  const db = new Database(path)
  db.exec(`PRAGMA journal_mode = ${mode}; CREATE TABLE entry (x); INSERT INTO entry VALUES (1)`)
  db.close()
  expect(await refusal(path)).toMatchObject({
    code: 'L2_UNSUITABLE_BACKEND',
    message: expect.stringMatching(/another program.*a `path` of its own/),
    retryable: false,
  })
  expect(readdirSync(dirname(path))).toEqual(['foreign.db'])
})

test("it is another program's, by its mark alone", async () => {
  const path = join(temporaryFolder(), 'foreign.db')
  new Database(path).exec('PRAGMA application_id = 77').close()
  expect((await refusal(path)).code).toBe('L2_UNSUITABLE_BACKEND')
})

test('it is a database that another program is using, or left in a crash', async () => {
  const path = join(temporaryFolder(), 'foreign.db')
  const db = new Database(path)
  onTestFinished(() => void db.close())
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)')
  expect((await refusal(path)).code).toBe('L2_UNSUITABLE_BACKEND')
  expect(db.prepare('SELECT x FROM t').pluck().get()).toBe(1)

  const crashed = copyOf(path, ['', '-wal', '-shm'])
  expect((await refusal(crashed)).code).toBe('L2_UNSUITABLE_BACKEND')
  const before = stateOf(dirname(crashed))
  const link = join(temporaryFolder(), 'link.db')
  symlinkSync(crashed, link)
  expect((await refusal(link)).code).toBe('L2_UNSUITABLE_BACKEND')
  expect(stateOf(dirname(crashed))).toEqual(before)

  // Where someone took the index away, SQLite makes it again to read the log.
  const copied = copyOf(path, ['', '-wal'])
  const { 'foreign.db-shm': _, ...rest } = before
  expect(stateOf(dirname(copied))).toEqual(rest)
  await expect(openAt(copied).get('key')).rejects.toMatchObject({ code: 'L2_UNSUITABLE_BACKEND' })
  expect(stateOf(dirname(copied))).toMatchObject(rest)
})

test('it is a database with a transaction to roll back', async () => {
  const path = join(temporaryFolder(), 'foreign.db')
  const db = new Database(path)
  onTestFinished(() => void db.close())
  db.exec('PRAGMA cache_size = 1; CREATE TABLE t (x); BEGIN')
  for (let i = 0; i < 100; i++) db.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(4_000))
  const crashed = copyOf(path, ['', '-journal'])
  expect((await refusal(crashed)).code).toBe('L2_UNSUITABLE_BACKEND')
  const before = stateOf(dirname(crashed))
  const link = join(temporaryFolder(), 'link.db')
  symlinkSync(crashed, link)
  expect((await refusal(link)).code).toBe('L2_UNSUITABLE_BACKEND')
  expect(stateOf(dirname(crashed))).toEqual(before)
})

/** What is on the disk now is what a crash would leave. */
function copyOf(path: string, suffixes: readonly string[]): string {
  const copy = join(temporaryFolder(), 'foreign.db')
  for (const suffix of suffixes) copyFileSync(`${path}${suffix}`, `${copy}${suffix}`)
  return copy
}

test('messages name the file, and no value', async () => {
  const path = join(temporaryFolder(), 'file')
  writeFileSync(path, 'secret '.repeat(1_000))
  const error = await openAt(path)
    .set('key', Buffer.from('hunter2'))
    .catch(error => error)
  expect(error.message).toContain(JSON.stringify(path))
  expect(`${error.stack} ${error.cause.stack}`).not.toMatch(/secret|hunter2/)
  expect(error.cause).toMatchObject({ code: 'SQLITE_NOTADB' })
  expect(error.retryable).toBe(false)
})
