import { afterAll, expect, test } from 'vitest'
import { startPgBouncer } from '../../../scripts/services/pgbouncer.mjs'
import { ServerHost } from '../../../scripts/services/server-host.mjs'
import { session } from './support/own-schema.js'
import { kitCases } from './support/postgres-cases.mjs'
import { postgresUrl } from './support/postgres-server.mjs'

const host = await ServerHost.open()
afterAll(() => host.close())

const bouncer = await startPgBouncer(host, () => {}, postgresUrl()).catch(String)

if (typeof bouncer === 'string') {
  // A skipped test alone is a number that nobody reads.
  console.warn(`pgbouncer: none to be had here, so the kit is NOT run through it: ${bouncer}`)
  test('the kit is run through PgBouncer', ({ skip }) => skip())
} else {
  const { cases, stop } = kitCases(subject => subject, bouncer.url)
  afterAll(stop)

  for (const { title, skip, run } of cases)
    test(title, { skip: skip !== undefined, timeout: 60_000 }, run)

  test('every case is run', () => {
    expect(cases.filter(({ skip }) => skip !== undefined)).toEqual([])
  })

  test('it is a PgBouncer, in transaction mode', async () => {
    const console = await session(bouncer.url.replace(/[^/]*$/, 'pgbouncer'))
    const { rows } = await console.query('SHOW CONFIG')
    expect(rows).toContainEqual(expect.objectContaining({ key: 'pool_mode', value: 'transaction' }))
  })
}
