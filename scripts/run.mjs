// @ts-check
import { spawnSync } from 'node:child_process'

/**
 * Runs a command to its end and returns what it wrote to stdout. When it fails: an error that holds
 * all that it said.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
export function run(file, args, options = {}) {
  const child = spawnSync(file, args, { maxBuffer: 1e8, ...options, encoding: 'utf8' })
  if (child.status === 0) return child.stdout
  const said = child.error?.message ?? `${child.stdout}${child.stderr}`.trim()
  throw new Error(`${[file, ...args].join(' ')} failed (${child.signal ?? child.status}):\n${said}`)
}
