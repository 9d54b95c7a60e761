// @ts-check
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { runLogged } from './run-logged.mjs'

/**
 * Offers the download that better-sqlite3's own install script would try first: seconds instead of
 * a minute where its host can be reached. Its failure is no error, and it never takes long.
 *
 * @param {string} folder better-sqlite3's
 * @param {string} cache
 */
export async function downloadPrebuilt(folder, cache) {
  const bin = createRequire(join(folder, 'package.json')).resolve('prebuild-install/bin.js')
  const log = join(cache, 'prebuild-install.log')
  const { ok } = await runLogged(process.execPath, [bin], { cwd: folder, log, timeout: 20_000 })
  return ok
}
