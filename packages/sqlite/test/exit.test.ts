import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from './support/folder.js'

test('a sweep in the background does not hold the process', () => {
  const script = `
    import { SqliteAdapter } from '@l2/sqlite'
    const adapter = new SqliteAdapter({ path: process.argv[1], sweepInterval: 10 })
    // Entries enough for many slices.
    for (let i = 0; i < 20_000; i++) await adapter.set('k' + i, new Uint8Array(8), { ttl: 1, tags: ['t' + i] })
    await new Promise(resolve => setTimeout(resolve, 40))
    const ended = performance.now()
    process.on('exit', () => console.log(performance.now() - ended))
  `
  const args = ['--input-type=module', '-e', script, join(temporaryFolder(), 'cache.db')]
  const cwd = new URL('.', import.meta.url)
  const child = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 60_000 })
  expect([child.status, child.stderr]).toEqual([0, ''])
  // Swept whole, it would take a second: a slice, and the exit, are all that is left.
  expect(Number(child.stdout)).toBeLessThan(250)
})
