import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conformance } from '@l2/core/conformance'
import { afterAll, describe, test } from 'vitest'
import { SqliteAdapter } from '../src/index.js'

const folder = mkdtempSync(join(tmpdir(), 'l2-sqlite-'))
const path = join(folder, 'cache.db')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('conformance', () => {
  for (const { title, run } of conformance({ open: prefix => new SqliteAdapter({ path, prefix }) }))
    test(title, run)
})
