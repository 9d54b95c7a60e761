import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createDatabase } from 'db0'
import sqlite from 'db0/connectors/better-sqlite3'
import { createStorage } from 'unstorage'
import db0Driver from 'unstorage/drivers/db0'

/** In its raw mode, which takes bytes. It knows neither expiry nor tags. */
export async function open({ folder }) {
  const database = createDatabase(
    sqlite({ path: join(folder, 'unstorage.db'), lib: () => Database }),
  )
  await database.exec('PRAGMA journal_mode = WAL')
  await database.exec('PRAGMA synchronous = NORMAL')
  const storage = createStorage({ driver: db0Driver({ database }) })
  return {
    get: key => storage.getItemRaw(key),
    set: (key, value) => storage.setItemRaw(key, value),
    delete: key => storage.removeItem(key),
    async close() {
      await storage.dispose()
      await database.dispose()
    },
  }
}
