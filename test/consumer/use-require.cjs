// The same user's CommonJS program, run after use-import.mts on the file that it left behind.
const assert = require('node:assert/strict')
const { isL2Error } = require('@l2/core')
const { SqliteAdapter } = require('@l2/sqlite')

async function main() {
  const adapter = new SqliteAdapter({ path: process.argv[2] })
  assert.deepEqual(await adapter.get('kept'), new Uint8Array([2]))
  await adapter.deleteByTag('b')
  assert.equal(await adapter.get('kept'), undefined)
  await adapter.close()
  await assert.rejects(adapter.get('kept'), error => isL2Error(error) && error.code === 'L2_CLOSED')
}

main()
