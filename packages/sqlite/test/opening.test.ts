import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SqliteAdapter } from '../src/index.js'
import { startChild } from './support/child.js'
import { temporaryFolder } from './support/folder.js'
import { rowsIn } from './support/inspect.js'

const bytes = new Uint8Array([1, 2, 3])

function openAt(path: string): SqliteAdapter {
  const adapter = new SqliteAdapter({ path, sweepInterval: 0, timeout: 2_000 })
  onTestFinished(() => adapter.close())
  return adapter
}

/** A file that a first adapter has filled and closed. */
async function ourFile(): Promise<string> {
  const path = join(temporaryFolder(), 'cache.db')
  await using adapter = new SqliteAdapter({ path })
  await adapter.set('key', bytes, { tags: ['tag'] })
  return path
}

const digestOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

/** What every operation says about this file. */
async function refusal(path: string): Promise<{ code: string; message: string }> {
  const adapter = openAt(path)
  const error = await adapter.get('key').catch(error => error)
  for (const call of [
    adapter.set('key', bytes),
    adapter.delete('key'),
    adapter.deleteByTag('tag'),
    adapter.clear(),
    adapter.ping(),
    adapter.sweep(),
  ])
    await expect(call).rejects.toMatchObject({ code: error.code })
  return error
}

describe('options', () => {
  test.each([undefined, null, 42, '', 'a\0b', 'ends with a space ', {}])('no file: %j', path => {
    expect(() => new SqliteAdapter({ path: path as string })).toThrow(TypeError)
  })

  test('no options at all', () => {
    // @ts-expect-error: path is required
    expect(() => new SqliteAdapter()).toThrow(TypeError)
  })
})

describe('a file that can be used', () => {
  test('is created at the first call, not before, and removed logs show a clean end', async () => {
    const path = join(temporaryFolder(), 'cache.db')
    const adapter = openAt(path)
    expect(existsSync(path)).toBe(false)
    expect(await adapter.get('key')).toBeUndefined()
    expect(existsSync(path)).toBe(true)
    await adapter.close()
    expect(readdirSync(join(path, '..'))).toEqual(['cache.db'])
  })

  test('keeps its entries from one process to the next', async () => {
    const path = await ourFile()
    expect(await openAt(path).get('key')).toEqual(bytes)
  })

  test('may be empty, or a database without tables', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'empty'), '')
    new Database(join(folder, 'blank')).exec('PRAGMA journal_mode = WAL').close()
    for (const name of ['empty', 'blank']) {
      const adapter = openAt(join(folder, name))
      await adapter.set('key', bytes)
      expect(await adapter.get('key')).toEqual(bytes)
    }
  })

  test.each(['a?mode=memory', 'a%20b', 'file:x.db', "it's", 'ä😀', '-wal', ':memory:x'])(
    'is named literally: %s',
    async name => {
      const folder = temporaryFolder()
      await using adapter = new SqliteAdapter({ path: join(folder, name) })
      await adapter.set('key', bytes)
      expect(readdirSync(folder)).toContain(name)
    },
  )

  test('is marked and laid out as the documentation says', async () => {
    const path = await ourFile()
    const db = new Database(path, { readonly: true })
    onTestFinished(() => void db.close())
    expect(db.pragma('application_id', { simple: true })).toBe(0x6c327371)
    expect(db.pragma('user_version', { simple: true })).toBe(1)
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
    expect(db.pragma('auto_vacuum', { simple: true })).toBe(2)
  })
})

describe(':memory:', () => {
  test('is private to its adapter', async () => {
    const [one, other] = [openAt(':memory:'), openAt(':memory:')]
    await one.set('key', bytes, { tags: ['tag'] })
    expect(await one.get('key')).toEqual(bytes)
    expect(await other.get('key')).toBeUndefined()
    await one.ping()
    await one.deleteByTag('tag')
    expect(await one.get('key')).toBeUndefined()
    expect(existsSync(':memory:')).toBe(false)
  })
})

describe('a file that can not be used', () => {
  test('its directory is missing, then it is there', async () => {
    const folder = join(temporaryFolder(), 'missing')
    const adapter = openAt(join(folder, 'cache.db'))
    await expect(adapter.get('key')).rejects.toMatchObject({
      code: 'L2_UNAVAILABLE',
      message: expect.stringContaining('create it'),
    })
    mkdirSync(folder)
    expect(await adapter.get('key')).toBeUndefined()
  })

  test.each([
    ['file/cache.db', 'not a directory'],
    ['loop', 'circle'],
    ['loop/cache.db', 'circle'],
    ['x'.repeat(300), 'too long'],
  ])('its path can not be one: %s', async (name, reason) => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    symlinkSync('loop', join(folder, 'loop'))
    expect(await refusal(join(folder, name))).toMatchObject({
      code: 'L2_UNSUITABLE_BACKEND',
      message: expect.stringMatching(`correct \`path\`.*${reason}`),
      retryable: false,
    })
  })

  test('it is a directory', async () => {
    expect(await refusal(temporaryFolder())).toMatchObject({
      code: 'L2_UNSUITABLE_BACKEND',
      message: expect.stringContaining('is a directory'),
    })
  })

  test.each([
    ['text', Buffer.from('Not a database, but something that someone needs.\n'.repeat(100))],
    ['a short text', Buffer.from('hello')],
    ['zeros', Buffer.alloc(8_192)],
  ])('it is not a database: %s', async (_, content) => {
    const path = join(temporaryFolder(), 'file')
    writeFileSync(path, content)
    expect(await refusal(path)).toMatchObject({
      code: 'L2_UNSUITABLE_BACKEND',
      message: expect.stringContaining('is not a SQLite database'),
    })
    expect(readFileSync(path)).toEqual(content)
    expect(readdirSync(join(path, '..'))).toEqual(['file'])
  })

  test.each(['DELETE', 'WAL'])("it is another program's database, in mode %s", async mode => {
    const path = join(temporaryFolder(), 'foreign.db')
    const db = new Database(path)
    db.exec(`PRAGMA journal_mode = ${mode}; CREATE TABLE entry (x); INSERT INTO entry VALUES (1)`)
    db.close()
    const before = digestOf(path)
    expect(await refusal(path)).toMatchObject({
      code: 'L2_UNSUITABLE_BACKEND',
      message: expect.stringContaining('another program'),
    })
    expect(digestOf(path)).toBe(before)
    expect(readdirSync(join(path, '..'))).toEqual(['foreign.db'])
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
    const before = [digestOf(path), digestOf(`${path}-wal`)]
    expect((await refusal(path)).code).toBe('L2_UNSUITABLE_BACKEND')
    expect([digestOf(path), digestOf(`${path}-wal`)]).toEqual(before)
    expect(db.prepare('SELECT x FROM t').pluck().get()).toBe(1)

    // What is on the disk now is what a crash would leave.
    const crashed = join(temporaryFolder(), 'foreign.db')
    writeFileSync(crashed, readFileSync(path))
    writeFileSync(`${crashed}-wal`, readFileSync(`${path}-wal`))
    expect((await refusal(crashed)).code).toBe('L2_UNSUITABLE_BACKEND')
    const link = join(temporaryFolder(), 'link.db')
    symlinkSync(crashed, link)
    expect((await refusal(link)).code).toBe('L2_UNSUITABLE_BACKEND')
    expect([digestOf(crashed), digestOf(`${crashed}-wal`)]).toEqual(before)
  })

  test('it is a database with a transaction to roll back', async () => {
    const path = join(temporaryFolder(), 'foreign.db')
    const db = new Database(path)
    onTestFinished(() => void db.close())
    db.exec('PRAGMA cache_size = 1; CREATE TABLE t (x); BEGIN')
    for (let i = 0; i < 100; i++) db.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(4_000))
    const crashed = join(temporaryFolder(), 'foreign.db')
    for (const suffix of ['', '-journal'])
      writeFileSync(`${crashed}${suffix}`, readFileSync(`${path}${suffix}`))
    const before = [digestOf(crashed), digestOf(`${crashed}-journal`)]
    expect((await refusal(crashed)).code).toBe('L2_UNSUITABLE_BACKEND')
    expect([digestOf(crashed), digestOf(`${crashed}-journal`)]).toEqual(before)
  })

  test('its layout is newer', async () => {
    const path = await ourFile()
    new Database(path).exec('PRAGMA user_version = 2').close()
    const before = digestOf(path)
    expect(await refusal(path)).toMatchObject({
      code: 'L2_SCHEMA_MISMATCH',
      message: expect.stringMatching(/layout 2.*one version in all processes/),
    })
    expect(digestOf(path)).toBe(before)
  })

  test('its layout becomes newer under a running process', async () => {
    const path = await ourFile()
    const adapter = openAt(path)
    expect(await adapter.get('key')).toEqual(bytes)
    const db = new Database(path)
    db.exec('ALTER TABLE entry RENAME TO entry2; PRAGMA user_version = 2').close()
    for (const call of [
      adapter.get('key'),
      adapter.set('key', bytes),
      adapter.delete('key'),
      adapter.deleteByTag('tag'),
      adapter.clear(),
      adapter.sweep(),
      adapter.ping(),
    ])
      await expect(call).rejects.toMatchObject({ code: 'L2_SCHEMA_MISMATCH' })
  })

  test('its tables are gone', async () => {
    const path = await ourFile()
    new Database(path).exec('DROP TABLE tag').close()
    expect((await refusal(path)).code).toBe('L2_SCHEMA_MISMATCH')
  })

  test('it was cut short', async () => {
    const path = await ourFile()
    truncateSync(path, 4_096)
    expect(await refusal(path)).toMatchObject({
      code: 'L2_CORRUPT_STORE',
      message: expect.stringContaining('remove it'),
    })
  })

  test.each(['null', '[1]', '["tag'])('the tags of an entry are damaged: %s', async tags => {
    const path = await ourFile()
    const db = new Database(path)
    db.prepare('UPDATE entry SET tags = ?').run(tags)
    db.close()
    const adapter = openAt(path)
    for (const call of [
      adapter.set('key', bytes),
      adapter.delete('key'),
      adapter.deleteByTag('tag'),
      adapter.clear(),
    ])
      await expect(call).rejects.toMatchObject({
        code: 'L2_CORRUPT_STORE',
        message: expect.stringMatching(/cache\.db.*remove it/),
        retryable: false,
      })
  })

  test('it takes no writes, and is read all the same', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'cache.db')
    await using writer = new SqliteAdapter({ path })
    await writer.set('key', bytes, { tags: ['tag'] })
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o444)
    chmodSync(folder, 0o555)
    onTestFinished(() => chmodSync(folder, 0o755))
    const child = await startChild()
    // Root may write everything. Only now: a clone may be where nobody else can read it.
    if (process.getuid?.() === 0) await child.do('becomeNobody', [])
    await child.do('open', ['reader', { path }])
    expect(await child.do('call', ['reader', 'get', ['key'], {}])).toEqual(bytes)
    for (const [method, ...args] of [
      ['set', 'key', bytes],
      ['delete', 'key'],
      ['deleteByTag', 'tag'],
      ['clear'],
      ['ping'],
    ])
      await expect(child.do('call', ['reader', method, args, {}])).rejects.toMatchObject({
        code: 'L2_READ_ONLY',
      })
    await child.do('open', ['new', { path: join(folder, 'new.db') }])
    await expect(child.do('call', ['new', 'get', ['key'], {}])).rejects.toMatchObject({
      code: 'L2_READ_ONLY',
      message: expect.stringContaining('may not create it'),
    })
    expect(rowsIn(path)).toMatchObject({ entry: 1, tag: 1 })
  })
})

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
