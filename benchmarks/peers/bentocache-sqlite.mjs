import { join } from 'node:path'
import { knexDriver } from 'bentocache/drivers/knex'
import { kyselyDriver } from 'bentocache/drivers/kysely'
import Database from 'better-sqlite3'
import createKnex from 'knex'
import { Kysely, SqliteDialect } from 'kysely'
import { subjectOver } from './bentocache.mjs'

function tune(db) {
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
}

export function openKysely({ folder }) {
  const database = new Database(join(folder, 'bento.db'))
  tune(database)
  const connection = new Kysely({ dialect: new SqliteDialect({ database }) })
  return subjectOver(kyselyDriver({ connection }))
}

export function openKnex({ folder }) {
  const connection = createKnex({
    client: 'better-sqlite3',
    connection: { filename: join(folder, 'bento.db') },
    useNullAsDefault: true,
    pool: {
      afterCreate(db, done) {
        tune(db)
        done(null, db)
      },
    },
  })
  return subjectOver(knexDriver({ connection }))
}
