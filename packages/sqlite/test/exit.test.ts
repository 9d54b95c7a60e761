import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from './support/folder.js'
import { rowsIn } from './support/inspect.js'

test('a sweep in the background does not hold the process', () => {
  const script = `
    import { SqliteAdapter } from '@l2/sqlite'
    import Database from 'better-sqlite3'
    const path = process.argv[1]
    const filler = new SqliteAdapter({ path, sweepInterval: 0 })
    // Entries enough for many slices.
    for (let i = 0; i < 20_000; i++) await filler.set('k' + i, new Uint8Array(8), { ttl: 1, tags: ['t' + i] })
    const adapter = new SqliteAdapter({ path, sweepInterval: 10 })
    await adapter.ping()
    const left = new Database(path).prepare('SELECT count(*) FROM entry').pluck()
    while (left.get() === 20_000) await new Promise(resolve => setTimeout(resolve, 1))
  `
  const path = join(temporaryFolder(), 'cache.db')
  const args = ['--input-type=module', '-e', script, path]
  const cwd = new URL('.', import.meta.url)
  const child = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 60_000 })
  expect([child.status, child.stderr]).toEqual([0, ''])
  // A sweep of all takes a second: it had begun, and went no further.
  const { entry } = rowsIn(path)
  expect(entry).toBeGreaterThan(0)
  expect(entry).toBeLessThan(20_000)
})
