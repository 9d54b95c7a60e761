// @ts-check
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SqliteAdapter } from '@l2/sqlite'
import Database from 'better-sqlite3'
import { faultsIn, rowsIn } from './look-inside.mjs'

/** @typedef {import('@l2/fuzz').Fault} Fault */
/** @typedef {import('@l2/fuzz').Subject} Subject */

/** ms, of the adapters. */
const TIMEOUT = 5_000

const pathIn = (/** @type {unknown} */ config) => /** @type {{ path: string }} */ (config).path

/**
 * Does something with the file as another program, which knows nothing of the adapters.
 *
 * @param {unknown} config
 * @param {(db: Database.Database) => Promise<unknown> | void} work
 */
async function asStranger(config, work) {
  const db = new Database(pathIn(config), { timeout: 0 })
  try {
    await work(db)
  } catch (error) {
    // A lock that it wanted was taken, or too many went for it at once: it goes without.
    if (!['SQLITE_BUSY', 'SQLITE_PROTOCOL'].includes(/** @type {any} */ (error).code)) throw error
  } finally {
    db.close()
  }
}

/** @type {Fault[]} */
const FAULTS = [
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
    async inject({ config, random, found }) {
      /** @type {unknown} */
      let tables = 0
      await asStranger(config, async db => {
        db.exec('BEGIN')
        tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()
        await pause(random(200))
        db.exec('COMMIT')
      })
      if (tables === 0) return
      // One snapshot in the middle of it all, half of which may be of processes that are dead.
      for (const fault of faultsIn(pathIn(config))) found(fault)
    },
  },
  {
    name: 'foreign checkpoint',
    inject: ({ config, random }) =>
      asStranger(config, db => {
        db.pragma(`wal_checkpoint(${random(2) === 0 ? 'TRUNCATE' : 'RESTART'})`)
      }),
  },
]

/**
 * SqliteAdapter over a file that each round has to itself.
 *
 * @param {string} name
 * @param {Partial<import('@l2/sqlite').SqliteAdapterOptions>} options
 * @param {Partial<Subject>} allowances
 * @returns {Subject}
 */
function subjectOf(name, options, allowances) {
  return {
    name,
    module: new URL('fuzz-open.mjs', import.meta.url).href,
    timeout: TIMEOUT,
    // It never waits within a statement: what nobody waits for any more is over, or never begins.
    givenUp: 100,
    ...allowances,
    faults: FAULTS,

    async stage() {
      const folder = mkdtempSync(join(tmpdir(), 'l2-fuzz-sqlite-'))
      const path = join(folder, 'cache.db')
      const config = { path, timeout: TIMEOUT, sweepInterval: 200, ...options }
      return {
        config,
        async inspect() {
          if (!existsSync(path)) return ['the file is gone']
          const { size } = statSync(path)
          const { maxBytes = Infinity } = options
          return [...faultsIn(path), ...(size > maxBytes ? [`the file has ${size} bytes`] : [])]
        },
        async residue() {
          const adapter = new SqliteAdapter(config)
          await adapter.sweep()
          await adapter.close()
          const { entry, tag } = rowsIn(path)
          return entry + tag
        },
        close: async () => rmSync(folder, { recursive: true }),
      }
    },
  }
}

export const subject = subjectOf('sqlite', {}, {})
export const bounded = subjectOf(
  'sqlite bounded',
  { maxBytes: 1_024 * 1_024 },
  { mayLose: true, scale: 8 },
)
export const subjects = [subject, bounded]
