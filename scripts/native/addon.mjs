// @ts-check
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.mjs'
import { hasCrashingHook } from './cleanup-hook.mjs'

const linked = join(root, 'packages/sqlite/node_modules/better-sqlite3')

/** Where better-sqlite3 lies, or undefined when dependencies are not installed. */
export function addonFolder() {
  return existsSync(linked) ? realpathSync(linked) : undefined
}

/** The compiled file, as node-gyp and prebuild-install both leave it. */
export function addonFile(/** @type {string} */ folder) {
  return join(folder, 'build/Release/better_sqlite3.node')
}

/**
 * Undefined when the addon works under this Node, else why not. It opens a real database, since a
 * build for another Node can load and then crash; and it does so in a child, to survive that crash.
 *
 * @param {string} folder
 */
export function whyNotLoading(folder) {
  if (!existsSync(addonFile(folder))) return 'it is not built yet'
  const probe = `new (require(${JSON.stringify(folder)}))(':memory:').prepare('select 1').get()`
  const child = spawnSync(process.execPath, ['-e', probe], { encoding: 'utf8', timeout: 30_000 })
  if (child.status === 0) {
    if (!hasCrashingHook(readFileSync(addonFile(folder)))) return undefined
    return 'it was compiled with headers that make it crash in garbage collection'
  }
  const abi = /NODE_MODULE_VERSION (\d+)/.exec(child.stderr)?.[1]
  if (abi)
    return `it was built for another Node (ABI ${abi}, this one has ${process.versions.modules})`
  return (
    /^\w*Error: .*$/m.exec(child.stderr)?.[0] ?? `it ended with ${child.signal ?? child.status}`
  )
}
