import { afterAll, beforeAll, expect } from 'vitest'
import { startPostgresServer } from '../../../../scripts/services/postgres.mjs'
import { ServerHost } from '../../../../scripts/services/server-host.mjs'

export type OwnPostgres = Awaited<ReturnType<typeof startPostgresServer>>

/** A Postgres with settings of its own for the tests of one file, none of which may make a deadlock. */
export function ownPostgres(...settings: string[]): OwnPostgres {
  let host: ServerHost
  const server = {} as OwnPostgres
  beforeAll(async () => {
    host = await ServerHost.open()
    Object.assign(server, await startPostgresServer(host, () => {}, settings))
  })
  afterAll(async () => {
    try {
      expect(server.log()).not.toContain('40P01')
    } finally {
      await host.close()
    }
  })
  return server
}
