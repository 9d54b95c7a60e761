// @ts-check
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.mjs'

/**
 * Throws when node_modules isn't what the lockfile says. pnpm installs before it runs a script, but
 * when that fails it only warns, and the script would run with what was there before.
 */
export function requireInstalled() {
  // pnpm keeps the lockfile of what it has really installed.
  const installed = textOf('node_modules/.pnpm/lock.yaml')
  if (installed !== undefined && installed === textOf('pnpm-lock.yaml')) return
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const what = installed === undefined ? 'not installed' : 'not those of pnpm-lock.yaml'
  throw new Error(`the dependencies are ${what}: run npx -y ${packageManager} install`)
}

function textOf(/** @type {string} */ file) {
  try {
    return readFileSync(join(root, file), 'utf8')
  } catch {
    return undefined
  }
}
