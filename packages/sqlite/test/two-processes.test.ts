import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conformance } from '@l2/core/conformance'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { SqliteAdapter } from '../src/index.js'
import { Child } from './support/child.js'
import { RemoteAdapter } from './support/remote-adapter.js'

const folder = mkdtempSync(join(tmpdir(), 'l2-sqlite-'))
const path = join(folder, 'cache.db')
const child = new Child()
beforeAll(() => child.ready)
afterAll(async () => {
  await child.kill('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
})

/** How many handles a namespace has: every second one is in the other process. */
const handles = new Map<string, number>()

function open(prefix: string) {
  const number = (handles.get(prefix) ?? 0) + 1
  handles.set(prefix, number)
  const options = { path, prefix }
  return number % 2 === 1 ? new SqliteAdapter(options) : new RemoteAdapter(child, options)
}

describe('conformance, with handles in two processes', () => {
  for (const { title, run } of conformance({ open })) test(title, run)
})
