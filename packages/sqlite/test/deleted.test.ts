import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { SqliteAdapter } from '../src/index.js'
import { startChild } from './support/child.js'
import { openAt } from './support/files.js'
import { temporaryFolder } from './support/folder.js'
import { faultsIn, rowsIn } from './support/inspect.js'

const bytes = (text: string) => new TextEncoder().encode(text)
const elapse = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** The path is looked at no more often than once a second. */
const NOTICED = 1_050

const MOVED = {
  code: 'L2_UNAVAILABLE',
  retryable: true,
  message: expect.stringMatching(/cache\.db" was deleted or replaced/),
}

const LEFT_BEHIND = {
  code: 'L2_UNAVAILABLE',
  retryable: true,
  message: expect.stringMatching(/cache\.db.*-wal.*-shm.*remove these too/),
}

/** An adapter at work on a file with one entry. */
async function atWork(path = join(temporaryFolder(), 'cache.db')) {
  const adapter = openAt(path)
  await adapter.set('old', bytes('1'), { tags: ['tag'] })
  return { path, folder: dirname(path), adapter }
}

/** A file of ours that nobody has open, with one entry. */
async function another(path: string): Promise<string> {
  await using adapter = new SqliteAdapter({ path })
  await adapter.set('other', bytes('2'), { tags: ['tag'] })
  return path
}

function removeAll(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) unlinkSync(`${path}${suffix}`)
}

test('the file is removed: any call notices, and the next one has a new file', async () => {
  const calls = [
    ['get', 'old'],
    ['set', 'new', bytes('2'), { tags: ['tag'] }],
    ['delete', 'old'],
    ['deleteByTag', 'tag'],
    ['clear'],
    ['sweep'],
    ['ping'],
  ] as const
  const all = await Promise.all(calls.map(async call => ({ call, ...(await atWork()) })))
  for (const { path } of all) removeAll(path)
  await elapse(NOTICED)
  for (const { call, adapter, path } of all) {
    const [method, ...args] = call
    const result = (adapter[method] as (...args: unknown[]) => Promise<unknown>)(...args)
    await expect(result, method).rejects.toMatchObject(MOVED)
    expect(await adapter.get('old')).toBeUndefined()
    await adapter.set('new', bytes('2'), { tags: ['tag'] })
    expect(await adapter.get('new')).toEqual(bytes('2'))
    expect(rowsIn(path)).toEqual({ prefix: 1, entry: 1, tag: 1 })
    await adapter.deleteByTag('tag')
    expect(await adapter.get('new')).toBeUndefined()
    expect(faultsIn(path)).toEqual([])
  }
})

test('its directory is removed', async () => {
  const { folder, adapter } = await atWork()
  rmSync(folder, { recursive: true })
  await elapse(NOTICED)
  await expect(adapter.get('old')).rejects.toMatchObject(MOVED)
  await expect(adapter.get('old')).rejects.toMatchObject({
    code: 'L2_UNAVAILABLE',
    message: expect.stringContaining('create it'),
  })
  mkdirSync(folder)
  await adapter.set('new', bytes('2'))
  expect(await adapter.get('new')).toEqual(bytes('2'))
})

test('the file and what is beside it are renamed: they stay as they are', async () => {
  const { path, folder, adapter } = await atWork()
  for (const suffix of ['', '-wal', '-shm'])
    renameSync(`${path}${suffix}`, join(folder, `old${suffix}`))
  const before = readFileSync(join(folder, 'old'))
  await elapse(NOTICED)
  await expect(adapter.get('old')).rejects.toMatchObject(MOVED)
  await adapter.set('new', bytes('2'))
  expect(readdirSync(folder).filter(name => name.startsWith('old'))).toHaveLength(3)
  expect(readFileSync(join(folder, 'old'))).toEqual(before)
  expect(await openAt(join(folder, 'old')).get('old')).toEqual(bytes('1'))
})

test('a symbolic link leads to another file', async () => {
  const folder = temporaryFolder()
  const link = join(folder, 'cache.db')
  symlinkSync('one', link)
  const { adapter } = await atWork(link)
  await another(join(folder, 'two'))
  unlinkSync(link)
  symlinkSync('two', link)
  await elapse(NOTICED)
  await expect(adapter.get('old')).rejects.toMatchObject(MOVED)
  expect(await adapter.get('other')).toEqual(bytes('2'))
  expect(await openAt(join(folder, 'one')).get('old')).toEqual(bytes('1'))
})

test('the file alone is removed: no new one shares what old processes have open', async () => {
  const { path, folder, adapter } = await atWork()
  unlinkSync(path)
  await elapse(NOTICED)
  const left = readdirSync(folder)
  expect(left).toEqual(['cache.db-shm', 'cache.db-wal'])
  for (const one of [adapter, openAt(path), adapter])
    await expect(one.set('new', bytes('2'))).rejects.toMatchObject(LEFT_BEHIND)
  writeFileSync(path, '')
  await expect(openAt(path).get('new')).rejects.toMatchObject(LEFT_BEHIND)
  expect(readdirSync(folder)).toEqual(['cache.db', ...left])
  for (const name of left) unlinkSync(join(folder, name))
  await expect(adapter.get('old')).rejects.toMatchObject(MOVED)
  await adapter.set('new', bytes('2'))
  expect(await openAt(path).get('new')).toEqual(bytes('2'))
})

test('what a killed process left beside a file that was then removed', async () => {
  const { path, adapter } = await atWork()
  const folder = temporaryFolder()
  for (const suffix of ['-wal', '-shm', '-journal']) {
    const crashed = join(folder, 'cache.db')
    writeFileSync(`${crashed}${suffix}`, readFileSync(`${path}-wal`))
    symlinkSync('cache.db', join(folder, 'link'))
    for (const name of ['cache.db', 'link']) {
      const error = await openAt(join(folder, name))
        .get('old')
        .catch(error => error)
      expect(error).toMatchObject({ code: 'L2_UNAVAILABLE', retryable: true })
      expect(error.message).toContain(`${suffix}: remove`)
    }
    expect(readdirSync(folder)).toEqual([`cache.db${suffix}`, 'link'])
    expect(readFileSync(`${crashed}${suffix}`)).toEqual(readFileSync(`${path}-wal`))
    unlinkSync(`${crashed}${suffix}`)
    unlinkSync(join(folder, 'link'))
  }
  await adapter.close()
})

test('another file takes its name: it is used once nothing of the old one is beside it', async () => {
  const { path, folder, adapter } = await atWork()
  await another(join(temporaryFolder(), 'cache.db')).then(other => renameSync(other, path))
  const before = readFileSync(path)
  await elapse(NOTICED)
  for (let i = 0; i < 3; i++) await expect(adapter.get('old')).rejects.toMatchObject(LEFT_BEHIND)
  expect(readFileSync(path)).toEqual(before)
  for (const suffix of ['-wal', '-shm']) unlinkSync(`${path}${suffix}`)
  await expect(adapter.get('old')).rejects.toMatchObject(MOVED)
  expect(await adapter.get('other')).toEqual(bytes('2'))
  expect(await adapter.get('old')).toBeUndefined()
  await adapter.deleteByTag('tag')
  expect(await adapter.get('other')).toBeUndefined()
  await adapter.close()
  expect(readdirSync(folder)).toEqual(['cache.db'])
  expect(faultsIn(path)).toEqual([])
})

test('a stranger takes its name: it is left alone', async () => {
  const { path, folder, adapter } = await atWork()
  removeAll(path)
  writeFileSync(path, 'Something that someone needs.\n'.repeat(1_000))
  const before = readFileSync(path)
  await elapse(NOTICED)
  await expect(adapter.set('new', bytes('2'))).rejects.toMatchObject(MOVED)
  await expect(adapter.set('new', bytes('2'))).rejects.toMatchObject({
    code: 'L2_UNSUITABLE_BACKEND',
  })
  await adapter.close()
  expect(readFileSync(path)).toEqual(before)
  expect(readdirSync(folder)).toEqual(['cache.db'])
})

test("a stranger takes its name, and the old log is not moved into the stranger's file", async () => {
  const { path, adapter } = await atWork()
  const stranger = join(temporaryFolder(), 'stranger')
  new Database(stranger).exec('PRAGMA journal_mode = WAL; CREATE TABLE t (x)').close()
  const before = readFileSync(stranger)
  renameSync(stranger, path)
  // Nobody has noticed yet, and the log becomes long.
  const value = new Uint8Array(64 * 1_024)
  for (let i = 0; i < 200; i++)
    await adapter
      .set(`key ${i % 10}`, value.fill(i))
      .catch(error => expect(error).toMatchObject(LEFT_BEHIND))
  await elapse(300)
  await adapter.close()
  expect(readFileSync(path)).toEqual(before)
})

test('who closes the old file takes nothing from the new one', async () => {
  const { path, folder, adapter } = await atWork()
  const child = await startChild()
  await child.do('open', ['old', { path }])
  await child.do('call', ['old', 'set', ['theirs', bytes('1')], {}])
  removeAll(path)
  await using fresh = new SqliteAdapter({ path, sweepInterval: 0 })
  for (let i = 0; i < 100; i++) await fresh.set(`key ${i}`, new Uint8Array(1_000).fill(i))
  const names = readdirSync(folder)
  expect(names).toEqual(['cache.db', 'cache.db-shm', 'cache.db-wal'])
  await child.do('close', ['old'])
  await adapter.close()
  expect(readdirSync(folder)).toEqual(names)
  const log = readFileSync(`${path}-wal`)
  expect(log.length).toBeGreaterThan(100_000)
  await fresh.set('last', bytes('3'))
  await using reader = new SqliteAdapter({ path, sweepInterval: 0 })
  for (let i = 0; i < 100; i++) expect(await reader.get(`key ${i}`)).toHaveLength(1_000)
  expect(await reader.get('last')).toEqual(bytes('3'))
  expect(faultsIn(path)).toEqual([])
})

test('it takes a second name, and is still the same', async () => {
  const { path, folder, adapter } = await atWork()
  linkSync(path, join(folder, 'second'))
  await elapse(NOTICED)
  expect(await adapter.get('old')).toEqual(bytes('1'))
})

interface Report {
  readonly calls: number
  readonly failures: string[]
}

test.each(['removed', 'replaced'])(
  '3 processes at work while the file is %s',
  async how => {
    const path = join(temporaryFolder(), 'cache.db')
    const spare = await another(join(temporaryFolder(), 'cache.db'))
    const children = await Promise.all([0, 1, 2].map(() => startChild()))
    const end = Date.now() + 5_000
    const reports = children.map((child, at) =>
      child.do<Report>('churn', [
        { path, prefix: `churn ${at}:`, sweepInterval: 100 },
        { keys: 20, tags: 5, seed: at, end },
      ]),
    )
    await Promise.all(children.map(child => child.do('open', ['handle', { path }])))
    const call = (at: number, method: string, ...args: unknown[]) =>
      children[at]?.do('call', ['handle', method, args, {}])
    for (const at of children.keys()) await call(at, 'set', 'mine', bytes('1'))
    await elapse(500)

    if (how === 'replaced') renameSync(spare, path)
    else rmSync(path)
    for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`)
    await elapse(2_000)

    for (const at of children.keys()) {
      // Where it did nothing in the meantime, this call is the one that notices.
      await call(at, 'ping')?.catch(() => {})
      await call(at, 'set', `key ${at}`, bytes(`${at}`))
    }
    for (const at of children.keys())
      for (const other of children.keys())
        expect(await call(at, 'get', `key ${other}`)).toEqual(bytes(`${other}`))
    expect(await call(0, 'get', 'mine')).toBeUndefined()
    for (const report of await Promise.all(reports)) {
      expect(report.failures.filter(failure => !failure.startsWith('L2_UNAVAILABLE'))).toEqual([])
      expect(report.calls).toBeGreaterThan(100)
    }
    // Those of the 3 that churn, that of the handles, and the one that was there.
    expect(rowsIn(path).prefix).toBe(4)
    expect(faultsIn(path)).toEqual([])
    // One by one: SQLite leaves the log to the next process where the last two close at once.
    for (const child of children) await child.do('close', ['handle'])
    expect(existsSync(`${path}-wal`)).toBe(false)
  },
  30_000,
)
