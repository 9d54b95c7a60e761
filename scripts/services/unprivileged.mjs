// @ts-check
import { cpSync, existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** @typedef {{ name: string, uid: number, gid: number }} Account */

/**
 * The account to run a server as that refuses root, as Postgres does: undefined when this process
 * isn't root anyway. It must be one the machine knows, since Postgres looks its name up.
 *
 * @returns {Account | undefined}
 */
export function unprivilegedAccount() {
  if (process.getuid?.() !== 0) return undefined
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const wanted of ['postgres', 'nobody']) {
    const [name, , uid, gid] = lines.find(line => line.startsWith(`${wanted}:`))?.split(':') ?? []
    if (name) return { name, uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('root may not run it, and there is no account postgres or nobody')
}

/** Whether every account may enter this folder: root's home, for one, usually is closed. */
export function isOpenToOthers(/** @type {string} */ folder) {
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}

/**
 * A folder of programs where an account other than root gets at it: itself, or a copy in `place`.
 *
 * @param {string} folder
 * @param {string} place
 */
export function reachable(folder, place) {
  if (isOpenToOthers(folder)) return folder
  const copy = join(place, basename(dirname(folder)), basename(folder))
  if (!existsSync(copy)) cpSync(folder, copy, { recursive: true, verbatimSymlinks: true })
  return copy
}
