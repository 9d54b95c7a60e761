import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { SqliteAdapter } from '../../src/index.js'
import { temporaryFolder } from './folder.js'

const bytes = new Uint8Array([1, 2, 3])

/** An adapter for one test. */
export function openAt(path: string): SqliteAdapter {
  const adapter = new SqliteAdapter({ path, sweepInterval: 0, timeout: 2_000 })
  onTestFinished(() => adapter.close())
  return adapter
}

/** A file that a first adapter has filled and closed: `key` with `tag`. */
export async function ourFile(path = join(temporaryFolder(), 'cache.db')): Promise<string> {
  await using adapter = new SqliteAdapter({ path })
  await adapter.set('key', bytes, { tags: ['tag'] })
  return path
}

/** Every name in a folder with a digest of what it holds. */
export function stateOf(folder: string): Record<string, string> {
  return Object.fromEntries(readdirSync(folder).map(name => [name, digestOf(join(folder, name))]))
}

function digestOf(path: string): string {
  const stat = lstatSync(path)
  if (stat.isSymbolicLink()) return `to ${readlinkSync(path)}`
  // Whoever reads a database that is in use leaves marks in its index.
  if (!stat.isFile() || path.endsWith('-shm')) return 'there'
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

/** What every operation says about this file, while nothing in its folder changes. */
export async function refusal(
  path: string,
  folder = dirname(path),
): Promise<{ code: string; message: string }> {
  const before = stateOf(folder)
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
  await adapter.close()
  expect(stateOf(folder)).toEqual(before)
  return error
}
