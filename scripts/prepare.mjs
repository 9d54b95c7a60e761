// @ts-check
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ensureNative } from './ensure-native.mjs'
import { requireInstalled } from './require-installed.mjs'
import { root } from './root.mjs'

/**
 * What every script that runs the packages does first: dependencies in place, better-sqlite3
 * loadable, everything built. Ends the process with what to do when one of these fails.
 *
 * @param {string[]} [turboArgs] for example a filter, to build less
 */
export async function prepare(turboArgs = []) {
  try {
    requireInstalled()
    await ensureNative()
  } catch (error) {
    console.error(/** @type {Error} */ (error).message)
    process.exit(1)
  }
  const turbo = [
    join(root, 'scripts/turbo.mjs'),
    'run',
    'build',
    '--output-logs=errors-only',
    ...turboArgs,
  ]
  const build = spawnSync(process.execPath, turbo, { stdio: 'inherit', cwd: root })
  if (build.status !== 0) process.exit(build.status ?? 1)
}
