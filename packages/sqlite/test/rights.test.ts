import { chmodSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { SqliteAdapter } from '../src/index.js'
import { type Child, startChild } from './support/child.js'
import { openAt, ourFile, stateOf } from './support/files.js'
import { temporaryFolder } from './support/folder.js'
import { rowsIn } from './support/inspect.js'

const bytes = new Uint8Array([1, 2, 3])

const WRITES = [
  ['set', 'key', bytes],
  ['delete', 'key'],
  ['deleteByTag', 'tag'],
  ['clear'],
  ['ping'],
] as const

/** A process that rights mean something to, with an adapter `handle`. */
async function processAt(path: string): Promise<Child> {
  const child = await startChild()
  // Root may do everything. Only now: a clone may be where nobody else can read it.
  if (process.getuid?.() === 0) await child.do('becomeNobody', [])
  await child.do('open', ['handle', { path, sweepInterval: 0 }])
  return child
}

const call = (child: Child, method: string, ...args: unknown[]) =>
  child.do('call', ['handle', method, args, {}])

/** For one test: others may read, write or search it afterwards. */
function allow(path: string, mode: number): void {
  chmodSync(path, mode)
  onTestFinished(() => chmodSync(path, 0o755))
}

function folderIn(parent: string): string {
  allow(parent, 0o755)
  const folder = join(parent, 'folder')
  mkdirSync(folder)
  return folder
}

async function expectReadOnly(child: Child): Promise<void> {
  expect(await call(child, 'get', 'key')).toEqual(bytes)
  for (const [method, ...args] of WRITES)
    await expect(call(child, method, ...args)).rejects.toMatchObject({
      code: 'L2_READ_ONLY',
      message: expect.stringMatching(/cache\.db.*give this process the right to write/),
      retryable: false,
    })
  expect(await call(child, 'get', 'key')).toEqual(bytes)
}

test('neither the file nor its directory takes writes while another process has it open', async () => {
  const path = await ourFile()
  const folder = dirname(path)
  const writer = openAt(path)
  expect(await writer.get('key')).toEqual(bytes)
  expect(readdirSync(folder)).toContain('cache.db-wal')
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o444)
  allow(folder, 0o555)
  const before = stateOf(folder)
  await expectReadOnly(await processAt(path))
  expect(stateOf(folder)).toEqual(before)
  expect(rowsIn(path)).toMatchObject({ entry: 1, tag: 1 })
})

test('the file alone takes no writes', async () => {
  const path = await ourFile()
  chmodSync(path, 0o444)
  allow(dirname(path), 0o777)
  const before = stateOf(dirname(path))
  const child = await processAt(path)
  await expectReadOnly(child)
  await call(child, 'close').catch(() => {})
  expect(stateOf(dirname(path))).toMatchObject(before)
})

test('the directory takes no new files beside it', async () => {
  for (const mode of [0o444, 0o666]) {
    const path = await ourFile()
    chmodSync(path, mode)
    allow(dirname(path), 0o555)
    const before = stateOf(dirname(path))
    const child = await processAt(path)
    for (const [method, ...args] of [['get', 'key'] as const, ...WRITES])
      await expect(call(child, method, ...args)).rejects.toMatchObject({
        code: 'L2_READ_ONLY',
        message: expect.stringMatching(/cache\.db.*right to write the file and its directory/),
      })
    expect(stateOf(dirname(path))).toEqual(before)
  }
})

test('it may not be created', async () => {
  const folder = temporaryFolder()
  allow(folder, 0o555)
  const child = await processAt(join(folder, 'cache.db'))
  await expect(call(child, 'get', 'key')).rejects.toMatchObject({
    code: 'L2_READ_ONLY',
    message: expect.stringMatching(/cache\.db.*may not create it: give it the right/),
  })
  expect(readdirSync(folder)).toEqual([])
})

test('it may not be read', async () => {
  const path = await ourFile()
  chmodSync(path, 0o000)
  allow(dirname(path), 0o777)
  await expect(call(await processAt(path), 'get', 'key')).rejects.toMatchObject({
    code: 'L2_UNAVAILABLE',
    message: expect.stringMatching(/cache\.db.*right to read and write the file/),
  })
})

test('a directory on the way may not be searched', async () => {
  const folder = folderIn(temporaryFolder())
  const path = await ourFile(join(folder, 'cache.db'))
  allow(folder, 0o600)
  const child = await processAt(path)
  for (const [method, ...args] of [['get', 'key'] as const, ...WRITES])
    await expect(call(child, method, ...args)).rejects.toMatchObject({
      code: 'L2_UNAVAILABLE',
      message: expect.stringMatching(/right to search.*directories on the way.*cache\.db/),
    })
})

test('rights that are taken while it is open leave it open', async () => {
  const folder = folderIn(temporaryFolder())
  const path = await ourFile(join(folder, 'cache.db'))
  allow(folder, 0o777)
  chmodSync(path, 0o666)
  const child = await processAt(path)
  expect(await call(child, 'get', 'key')).toEqual(bytes)
  chmodSync(folder, 0o000)
  await new Promise(resolve => setTimeout(resolve, 1_050))
  expect(await call(child, 'get', 'key')).toEqual(bytes)
  await call(child, 'set', 'key', new Uint8Array([4]))
  expect(await call(child, 'get', 'key')).toEqual(new Uint8Array([4]))
  chmodSync(folder, 0o777)
  await using again = new SqliteAdapter({ path })
  expect(await again.get('key')).toEqual(new Uint8Array([4]))
})
