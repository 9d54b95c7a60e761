// @ts-check
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { embeddedPostgres } from './embedded-postgres.mjs'
import { findProgram } from './find-program.mjs'

/**
 * The folder of the programs of a PostgreSQL: of this machine, else of an npm package.
 *
 * @param {(line: string) => void} say
 * @returns {Promise<string>}
 */
export async function findPostgres(say) {
  const inPath = findProgram('postgres')
  // Debian keeps servers out of PATH, one folder per version; the newest first.
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian)
    ? readdirSync(debian).sort((a, b) => Number(b) - Number(a))
    : []
  const folders = versions.map(version => join(debian, version, 'bin'))
  if (inPath) folders.unshift(dirname(realpathSync(inPath)))
  const initdb = findProgram('initdb', folders)
  if (initdb) return dirname(initdb)
  const embedded = await embeddedPostgres(say)
  if (!embedded) throw new Error('no postgres and initdb on this machine')
  return join(embedded, 'bin')
}
