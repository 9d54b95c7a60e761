import {
  closeSync,
  openSync,
  readFileSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFailed, test } from 'vitest'
import { newSeed, randomFrom } from '../../core/test/support/random.mjs'
import { SqliteAdapter } from '../src/index.js'
import { startChild } from './support/child.js'
import { openAt, ourFile, refusal } from './support/files.js'
import { temporaryFolder } from './support/folder.js'
import { faultsIn } from './support/inspect.js'

const bytes = new Uint8Array([1, 2, 3])
const PAGE = 4_096

const DAMAGED = {
  code: 'L2_CORRUPT_STORE',
  message: expect.stringMatching(
    /cache\.db" is damaged.*remove it together with its -wal and -shm/,
  ),
  retryable: false,
}

/** What a file of 200 entries with 2 tags each holds: about 240 pages. */
async function largeFile(): Promise<Buffer> {
  const path = join(temporaryFolder(), 'cache.db')
  await using adapter = new SqliteAdapter({ path, sweepInterval: 0 })
  await fill(adapter)
  await adapter.close()
  return readFileSync(path)
}

async function fill(adapter: SqliteAdapter): Promise<void> {
  for (let i = 0; i < 200; i++)
    await adapter.set(`key ${i}`, new Uint8Array(i * 40).fill(i), { tags: [`tag ${i % 7}`, 'all'] })
}

function fileOf(content: Uint8Array): string {
  const path = join(temporaryFolder(), 'cache.db')
  writeFileSync(path, content)
  return path
}

/** Calls that touch every page, and the errors of those that failed. */
async function failuresAt(adapter: SqliteAdapter): Promise<unknown[]> {
  const errors: unknown[] = []
  const attempt = (call: Promise<unknown>) => call.catch(error => errors.push(error))
  for (let i = 0; i < 200; i += 3) {
    await attempt(adapter.get(`key ${i}`))
    await attempt(adapter.set(`key ${i}`, bytes, { tags: ['new', 'tag 1'] }))
    await attempt(adapter.delete(`key ${i + 1}`))
  }
  await attempt(adapter.deleteByTag('tag 3'))
  await attempt(adapter.sweep())
  await attempt(adapter.ping())
  await attempt(adapter.clear())
  return errors
}

test.each([
  ['cut to the header', (file: Buffer) => file.subarray(0, 100)],
  ['cut to a page', (file: Buffer) => file.subarray(0, PAGE)],
  ['cut to an odd length', (file: Buffer) => file.subarray(0, 3 * PAGE - 1)],
  ['cut in half', (file: Buffer) => file.subarray(0, file.length / 2)],
  ['zeros behind the header', (file: Buffer) => file.fill(0, 100, PAGE)],
])('every call says so, and leaves it as it is: %s', async (_, damage) => {
  expect(await refusal(fileOf(damage(await largeFile())))).toMatchObject(DAMAGED)
})

test.each([
  ['the last byte is gone', (file: Buffer) => file.subarray(0, -1)],
  ['a page of zeros', (file: Buffer) => file.fill(0, 20 * PAGE, 21 * PAGE)],
  ['zeros behind the first page', (file: Buffer) => file.fill(0, PAGE)],
])('calls that meet the damage say so: %s', async (_, damage) => {
  const adapter = openAt(fileOf(damage(await largeFile())))
  const errors = await failuresAt(adapter)
  expect(errors.length).toBeGreaterThan(0)
  for (const error of errors) expect(error).toMatchObject(DAMAGED)
})

test.each([
  ['the first page', PAGE],
  ['the header', 100],
  ['the first bytes', 16],
])('a file without %s is not known to be ours, and is left as it is', async (_, length) => {
  const content = (await largeFile()).fill(0, 0, length)
  expect(await refusal(fileOf(content))).toMatchObject({
    code: 'L2_UNSUITABLE_BACKEND',
    message: expect.stringMatching(/not a SQLite database.*remove the file/),
  })
})

test('cut to nothing it is a new file', async () => {
  const path = await ourFile()
  truncateSync(path)
  const adapter = openAt(path)
  expect(await adapter.get('key')).toBeUndefined()
  await adapter.set('key', bytes)
  expect(await adapter.get('key')).toEqual(bytes)
})

test('random bytes anywhere', async () => {
  const seed = newSeed()
  onTestFailed(() => console.error(`seed: ${seed}; set L2_SEED to replay it`))
  const random = randomFrom(seed)
  const content = await largeFile()
  let failures = 0
  for (let round = 0; round < 20; round++) {
    const damaged = Buffer.from(content)
    for (let spots = 1 + random(40); spots > 0; spots--) {
      const at = random(damaged.length)
      for (let end = Math.min(at + random(30), damaged.length); end > at; end--)
        damaged[end - 1] = random(256)
    }
    const errors = await failuresAt(openAt(fileOf(damaged)))
    failures += errors.length
    for (const error of errors)
      expect(error).toMatchObject({
        code: expect.stringMatching(
          /^L2_(CORRUPT_STORE|UNSUITABLE_BACKEND|SCHEMA_MISMATCH|UNSUPPORTED)$/,
        ),
      })
  }
  expect(failures).toBeGreaterThan(0)
}, 120_000)

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
    await expect(call).rejects.toMatchObject(DAMAGED)
})

test('a tag row that its entry does not tell of', async () => {
  const path = await ourFile()
  const db = new Database(path)
  db.exec("UPDATE entry SET tags = ''")
  db.close()
  const adapter = openAt(path)
  await expect(adapter.set('key', bytes, { tags: ['tag'] })).rejects.toMatchObject(DAMAGED)
  expect(await adapter.get('key')).toEqual(bytes)
})

/** Zeros over all of a file that is open, but not over its log. */
function zero(path: string): void {
  const { length } = readFileSync(path)
  const file = openSync(path, 'r+')
  writeSync(file, new Uint8Array(length), 0, length, 0)
  closeSync(file)
}

test('it is damaged while processes use it: removed, it is made anew under them', async () => {
  const path = fileOf(await largeFile())
  const children = await Promise.all([0, 1].map(() => startChild()))
  const call = (at: number, method: string, ...args: unknown[]) =>
    children[at]?.do('call', ['handle', method, args, {}])
  for (const [at, child] of children.entries()) {
    await child.do('open', ['handle', { path, sweepInterval: 0 }])
    await call(at, 'set', 'key', bytes)
  }
  zero(path)
  for (const at of children.keys())
    await expect(call(at, 'deleteByTag', 'all')).rejects.toMatchObject(DAMAGED)

  for (const suffix of ['', '-wal', '-shm']) unlinkSync(`${path}${suffix}`)
  for (const at of children.keys()) {
    // After a failure it looks at once.
    await call(at, 'ping')?.catch(() => {})
    await call(at, 'set', `new ${at}`, bytes)
    expect(await call(at, 'get', 'key')).toBeUndefined()
  }
  expect(await call(0, 'get', 'new 1')).toEqual(bytes)
  expect(await call(1, 'get', 'new 0')).toEqual(bytes)
  expect(faultsIn(path)).toEqual([])
})

test('it was mended in its place: what a process remembers of it is not used', async () => {
  const content = await largeFile()
  const path = fileOf(content)
  const child = await startChild()
  await child.do('open', ['handle', { path, sweepInterval: 0 }])
  const call = (method: string, ...args: unknown[]) =>
    child.do('call', ['handle', method, args, {}])
  expect(await call('get', 'key 199')).toHaveLength(199 * 40)
  zero(path)
  await expect(call('deleteByTag', 'all')).rejects.toMatchObject(DAMAGED)
  writeFileSync(path, content)
  await call('deleteByTag', 'all')
  expect(await call('get', 'key 199')).toBeUndefined()
})
