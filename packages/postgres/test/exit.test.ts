import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { postgresUrl } from './support/postgres-server.mjs'

function run(script: string) {
  const text = `
    import { PostgresAdapter } from '@l2/postgres'
    const [url, prefix] = process.argv.slice(1)
    ${script}`
  const args = ['--input-type=module', '-e', text, postgresUrl(), `exit-${randomUUID()}:`]
  const cwd = new URL('.', import.meta.url)
  const child = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 25_000 })
  return [child.status, child.stderr, child.stdout]
}

test.each([
  ['a connection that is not used', ''],
  ['a sweep in the background', 'await new Promise(resolve => setTimeout(resolve, 100))'],
  [
    'a read that was given up',
    'adapter.get("k", { signal: AbortSignal.timeout(1) }).catch(() => {})',
  ],
  ['close()', 'await adapter.close()'],
])('%s does not hold the process', (_, last) => {
  const done = run(`
    const adapter = new PostgresAdapter({ url, prefix, sweepInterval: 10 })
    await Promise.all(Array.from({ length: 100 }, (_, i) =>
      adapter.set('k' + i, new Uint8Array(8), { ttl: 1_000, tags: ['t'] })))
    ${last}`)
  expect(done).toEqual([0, '', ''])
})

test('calls that somebody awaits hold the process until they are answered', () => {
  const done = run(`
    const adapter = new PostgresAdapter({ url, prefix })
    adapter.set('k', new Uint8Array(8), { ttl: 1_000, tags: ['t'] })
      .then(() => adapter.get('k')).then(value => console.log(value.length))`)
  expect(done).toEqual([0, '', '8\n'])
})

test('a server that ends idle connections does not end the process, nor fail the next call', () => {
  const done = run(`
    import pg from 'pg'
    const connection = { connectionString: url, application_name: prefix }
    const pool = new pg.Pool(connection)
    const adapters = [{ connection }, { pool }].map(way => new PostgresAdapter({ ...way, prefix }))
    for (const adapter of adapters) await adapter.set('k', new Uint8Array(8), { ttl: 1_000 })
    const other = new pg.Client(url)
    await other.connect()
    await other.query('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity ' +
      'WHERE application_name = $1', [prefix])
    await new Promise(resolve => setTimeout(resolve, 100))
    for (const adapter of adapters) console.log((await adapter.get('k')).length)
    await other.end()
    for (const adapter of adapters) await adapter.close()
    await pool.end()`)
  expect(done).toEqual([0, '', '8\n8\n'])
})
