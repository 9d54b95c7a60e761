import { afterAll } from 'vitest'
import { startPgBouncer } from '../../../../scripts/services/pgbouncer.mjs'
import { startPostgresServer } from '../../../../scripts/services/postgres.mjs'
import { ServerHost } from '../../../../scripts/services/server-host.mjs'
import type { OwnPostgres } from './own-postgres.js'

export type OwnBouncer = Awaited<ReturnType<typeof startPgBouncer>>

/**
 * A Postgres and a PgBouncer in front of it for the tests of one file, or why there is none. Asked
 * for at the top of the file: what tests there are depends on it.
 *
 * @param settings lines of its section `[pgbouncer]`.
 */
export async function ownBouncer(
  ...settings: string[]
): Promise<{ server: OwnPostgres; bouncer: OwnBouncer } | string> {
  const host = await ServerHost.open()
  afterAll(() => host.close())
  const server = await startPostgresServer(host, () => {})
  const bouncer = await startPgBouncer(host, () => {}, server.url, settings).catch(String)
  return typeof bouncer === 'string' ? bouncer : { server, bouncer }
}
