// @ts-check
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SqliteAdapter } from '@l2/sqlite'
import Database from 'better-sqlite3'
import { faultsIn, rowsIn } from './look-inside.mjs'

/** ms, of the adapters. */
const TIMEOUT = 5_000

/**
 * Does something with the file as another program, which is not told of the adapters.
 *
 * @param {unknown} config
 * @param {(db: Database.Database) => Promise<unknown> | void} work
 */
async function asStranger(config, work) {
  const { path } = /** @type {{ path: string }} */ (config)
  const db = new Database(path, { timeout: 0 })
  try {
    await work(db)
  } catch (error) {
    // The lock that it wanted was taken: it goes without.
    if (/** @type {any} */ (error).code !== 'SQLITE_BUSY') throw error
  } finally {
    db.close()
  }
}

/** SqliteAdapter over a file that every round has to itself. @type {import('@l2/fuzz').Subject} */
export const subject = {
  name: 'sqlite',
  module: new URL('fuzz-open.mjs', import.meta.url).href,
  timeout: TIMEOUT,
  // Whoever is not waited for is not begun; what was begun is over, as it never waits.
  givenUp: 100,
  faults: [
    {
      name: 'foreign lock',
      inject: ({ config, random }) =>
        asStranger(config, async db => {
          db.pragma('busy_timeout = 1000')
          db.exec('BEGIN IMMEDIATE')
          await pause(random(40))
          db.exec('COMMIT')
        }),
    },
    {
      name: 'foreign reader',
      inject: ({ config, random }) =>
        asStranger(config, async db => {
          db.exec('BEGIN')
          db.prepare('SELECT count(*) FROM sqlite_schema').get()
          await pause(random(200))
          db.exec('COMMIT')
        }),
    },
    {
      name: 'foreign checkpoint',
      inject: ({ config, random }) =>
        asStranger(config, db => {
          db.pragma(`wal_checkpoint(${random(2) === 0 ? 'TRUNCATE' : 'RESTART'})`)
        }),
    },
  ],

  async stage() {
    const folder = mkdtempSync(join(tmpdir(), 'l2-fuzz-sqlite-'))
    const config = { path: join(folder, 'cache.db'), timeout: TIMEOUT, sweepInterval: 200 }
    return {
      config,
      inspect: async () => faultsIn(config.path),
      async residue() {
        const adapter = new SqliteAdapter(config)
        await adapter.sweep()
        await adapter.close()
        const { entry, tag } = rowsIn(config.path)
        return entry + tag
      },
      close: async () => rmSync(folder, { recursive: true }),
    }
  },
}
