import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SqliteAdapter } from '../src/index.js'
import { openAt, ourFile, refusal } from './support/files.js'
import { temporaryFolder } from './support/folder.js'

const bytes = new Uint8Array([1, 2, 3])

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
    const link = join(temporaryFolder(), 'link')
    symlinkSync(join(folder, 'linked.db'), link)
    for (const path of [join(folder, 'cache.db'), link]) {
      const adapter = openAt(path)
      await expect(adapter.get('key')).rejects.toMatchObject({
        code: 'L2_UNAVAILABLE',
        message: expect.stringContaining('create it'),
      })
      mkdirSync(folder, { recursive: true })
      expect(await adapter.get('key')).toBeUndefined()
      await adapter.close()
      rmSync(folder, { recursive: true })
    }
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
    expect(await refusal(join(folder, name), folder)).toMatchObject({
      code: 'L2_UNSUITABLE_BACKEND',
      message: expect.stringMatching(`correct \`path\`.*${reason}`),
      retryable: false,
    })
  })

  test('it is not a file', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'folder'))
    expect(spawnSync('sh', ['-c', 'mkfifo "$0"', join(folder, 'fifo')]).status).toBe(0)
    const server = createServer()
    await new Promise<void>(resolve => server.listen(join(folder, 'socket'), resolve))
    onTestFinished(() => void server.close())
    symlinkSync('fifo', join(folder, 'link'))
    for (const [name, what] of [
      ['folder', 'is a directory'],
      ['fifo', 'is not a regular file'],
      ['socket', 'is not a regular file'],
      ['link', 'is not a regular file'],
    ] as const)
      expect(await refusal(join(folder, name))).toMatchObject({
        code: 'L2_UNSUITABLE_BACKEND',
        message: expect.stringMatching(`${what}: .path. names the file itself`),
        retryable: false,
      })
    expect(await refusal('/dev/null', folder)).toMatchObject({ code: 'L2_UNSUITABLE_BACKEND' })
  })

  test.each([0, 2, -1, 2 ** 31 - 1])('its layout is another one: %i', async version => {
    const path = await ourFile()
    new Database(path).exec(`PRAGMA user_version = ${version}`).close()
    const { code, message } = await refusal(path)
    expect(code).toBe('L2_SCHEMA_MISMATCH')
    expect(message).toContain(
      `has layout ${version}, and this version of @l2/sqlite knows layout 1`,
    )
    expect(message).toContain('one version in all processes')
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

  test.each([
    'DROP TABLE tag',
    'ALTER TABLE entry DROP COLUMN value',
    'DROP TABLE entry; CREATE TABLE entry (id, prefix, key, expiry, tags, value)',
  ])('its tables are not ours: %s', async change => {
    const path = await ourFile()
    new Database(path).exec(change).close()
    expect(await refusal(path)).toMatchObject({
      code: 'L2_SCHEMA_MISMATCH',
      message: expect.stringContaining('one version in all processes'),
    })
  })

  test('it has our mark and nothing else', async () => {
    const path = join(temporaryFolder(), 'cache.db')
    new Database(path).exec('PRAGMA application_id = 0x6c327371; PRAGMA user_version = 1').close()
    expect((await refusal(path)).code).toBe('L2_SCHEMA_MISMATCH')
  })
})
