import { join } from 'node:path'
import { BentoCache, bentostore } from 'bentocache'
import { knexDriver } from 'bentocache/drivers/knex'
import { kyselyDriver } from 'bentocache/drivers/kysely'
import Database from 'better-sqlite3'
import createKnex from 'knex'
import { Kysely, SqliteDialect } from 'kysely'
import { asText } from './text.mjs'

const TTL = 3_600_000

/** Without an L1: each call reaches the database. Its values are JSON. */
function subjectOver(driver) {
  const cache = new BentoCache({
    default: 'l2',
    stores: { l2: bentostore().useL2Layer(driver) },
  })
  return {
    toValue: asText,
    get: key => cache.get({ key }),
    set: (key, value) => cache.set({ key, value, ttl: TTL }),
    setTagged: (key, value, tags) => cache.set({ key, value, ttl: TTL, tags }),
    delete: key => cache.delete({ key }),
    deleteByTag: tag => cache.deleteByTag({ tags: [tag] }),
    close: () => cache.disconnect(),
  }
}

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
