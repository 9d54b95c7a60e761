// A user's project in TypeScript and ES modules: scripts/packages/clean-project.mjs installs the
// packed packages beside it, compiles it and runs it.
import assert from 'node:assert/strict'
import { type Adapter, MemoryAdapter } from '@l2/core'
import { conformance } from '@l2/core/conformance'
import { SqliteAdapter } from '@l2/sqlite'

const path = process.argv[2]
assert(path)

for (const adapter of [new MemoryAdapter(), new SqliteAdapter({ path })]) {
  await exercise(adapter)
  await adapter.close()
}
assert.equal(typeof conformance, 'function')

async function exercise(adapter: Adapter): Promise<void> {
  await adapter.set('gone', new Uint8Array([1]), { tags: ['a', 'b'] })
  await adapter.set('kept', new Uint8Array([2]), { ttl: 60_000, tags: ['b'] })
  await adapter.deleteByTag('a')
  assert.equal(await adapter.get('gone'), undefined)
  assert.deepEqual(await adapter.get('kept'), new Uint8Array([2]))
}
