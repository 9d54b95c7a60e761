// @ts-check
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { addonFile, addonFolder } from '../native/addon.mjs'
import { root } from '../root.mjs'
import { run } from '../run.mjs'

const consumer = join(root, 'test/consumer')
const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')))

/**
 * Does what a user does: installs packed packages from their tarballs into an empty project, then
 * uses them from TypeScript and ES modules and, on the same file, through require. Throws when
 * something does not work, or when a driver came along that nobody asked for.
 *
 * @param {string} folder the project's
 * @param {import('./pack.mjs').Packed[]} packed the packages to install
 */
export function checkInCleanProject(folder, packed) {
  cpSync(consumer, folder, { recursive: true })
  const addon = addonFolder()
  if (!addon) throw new Error('better-sqlite3 is not installed')
  const manifest = {
    private: true,
    dependencies: Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`])),
    devDependencies: { '@types/node': versionOf(join(root, 'node_modules/@types/node')) },
    // The one that this repo has a build of.
    overrides: { 'better-sqlite3': versionOf(addon) },
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  // Without scripts: better-sqlite3's would download or compile again what this repo has built.
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder })
  const target = addonFile(join(folder, 'node_modules/better-sqlite3'))
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(addonFile(addon), target)

  const installed = Object.keys(
    JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages,
  )
  const unwanted = installed.filter(path => /(^|\/)node_modules\/(pg|ioredis)$/.test(path))
  if (unwanted.length > 0) throw new Error(`the tree holds ${unwanted.join(', ')}`)

  run(process.execPath, [tsc, '-p', folder], { cwd: folder })
  const file = join(folder, 'cache.db')
  run(process.execPath, ['use-import.mjs', file], { cwd: folder })
  run(process.execPath, ['use-require.cjs', file], { cwd: folder })
}

function versionOf(/** @type {string} */ packageFolder) {
  return JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')).version
}
