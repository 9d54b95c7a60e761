import { knexDriver } from 'bentocache/drivers/knex'
import createKnex from 'knex'
import { POOL, postgresUrl, sizeOfTables, tableOf } from '../dist/harness/postgres.js'
import { subjectOver } from './bentocache.mjs'

export function open(place) {
  const connection = createKnex({
    client: 'pg',
    connection: postgresUrl(),
    pool: { min: 0, max: POOL },
  })
  const driver = knexDriver({ connection, tableName: tableOf(place) })
  return { ...subjectOver(driver), usedBytes: () => sizeOfTables(place) }
}
