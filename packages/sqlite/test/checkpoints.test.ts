import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { SqliteAdapter } from '../src/index.js'
import { temporaryFolder } from './support/folder.js'

function opened(count = 1) {
  const path = join(temporaryFolder(), 'cache.db')
  const adapters = Array.from({ length: count }, (_, at) => {
    const adapter = new SqliteAdapter({ path, prefix: `${at}:`, sweepInterval: 0 })
    onTestFinished(() => adapter.close())
    return adapter
  })
  return { path, adapters }
}

/** Other bytes each time: SQLite writes no page that stays as it is. */
let filled = 0

async function fill(adapter: SqliteAdapter | undefined): Promise<void> {
  const value = new Uint8Array(1_500).fill(++filled)
  for (let i = 0; i < 4_000; i += 100)
    await Promise.all(Array.from({ length: 100 }, (_, j) => adapter?.set(`${i + j}`, value)))
}

/** How many pages of the log are not in the file yet. */
function behind(path: string): number {
  const db = new Database(path, { readonly: true })
  const [state] = db.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[]
  db.close()
  return (state?.log ?? 0) - (state?.checkpointed ?? 0)
}

/** Linux tells the names of a process's threads, and Node names those of workers alike. */
const threads = (): number => readdirSync('/proc/self/task').length

test('the log is moved into the file, by nobody who writes', async () => {
  const { path, adapters } = opened()
  await fill(adapters[0])
  await expect.poll(() => behind(path), { timeout: 20_000 }).toBeLessThan(1_000)
  expect(statSync(path).size).toBeGreaterThan(4_000 * 1_000)
})

test('the file of the log is cut off once a long reader lets it', async () => {
  const { path, adapters } = opened()
  const [adapter] = adapters
  await fill(adapter)
  const reader = new Database(path, { readonly: true })
  onTestFinished(() => void reader.close())
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM entry').get()
  const size = (): number => statSync(`${path}-wal`).size
  while (size() < 100_000_000) await fill(adapter)
  reader.exec('COMMIT')
  const fillAndLook = async () => {
    await fill(adapter)
    return size()
  }
  await expect.poll(fillAndLook, { timeout: 30_000 }).toBeLessThan(64_000_000)
}, 60_000)

test('adapters of one file share a thread, and the last to close ends it', async () => {
  const { adapters } = opened(4)
  const before = threads()
  await Promise.all(adapters.map(fill))
  // A worker of Node has one thread that runs it, and may have another beside.
  await expect.poll(threads, { timeout: 20_000 }).toBeGreaterThan(before)
  expect(threads() - before).toBeLessThan(4)
  for (const adapter of adapters) await adapter.close()
  await expect.poll(threads, { timeout: 20_000 }).toBe(before)
})

test('where a bundler left the thread out, SQLite moves the log itself', async () => {
  const root = fileURLToPath(new URL('..', import.meta.url))
  // Where it finds what it imports.
  const bundle = mkdtempSync(join(root, 'node_modules/.bundle-'))
  onTestFinished(() => rmSync(bundle, { recursive: true }))
  cpSync(join(root, 'dist'), bundle, {
    recursive: true,
    filter: file => !file.endsWith('sqlite-checkpoint-thread.mjs'),
  })
  const { SqliteAdapter: Bundled } = await import(join(bundle, 'index.js'))
  const path = join(temporaryFolder(), 'cache.db')
  const adapter: SqliteAdapter = new Bundled({ path, sweepInterval: 0 })
  onTestFinished(() => adapter.close())
  const fillAndLook = async () => {
    await fill(adapter)
    return behind(path)
  }
  // One transaction more than SQLite's own threshold.
  await expect.poll(fillAndLook, { timeout: 20_000 }).toBeLessThan(1_500)
})
