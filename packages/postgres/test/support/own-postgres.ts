import { afterAll, beforeAll } from 'vitest'
import { startPostgresServer } from '../../../../scripts/services/postgres.mjs'
import { ServerHost } from '../../../../scripts/services/server-host.mjs'

export type OwnPostgres = Awaited<ReturnType<typeof startPostgresServer>>

/** A Postgres with settings of its own for the tests of one file. */
export function ownPostgres(...settings: string[]): OwnPostgres {
  let host: ServerHost
  const server = {} as OwnPostgres
  beforeAll(async () => {
    host = await ServerHost.open()
    Object.assign(server, await startPostgresServer(host, () => {}, settings))
  })
  afterAll(() => host.close())
  return server
}
