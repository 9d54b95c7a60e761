// @ts-check
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile } from '../../scripts/native/compile.mjs'
import { locked } from '../../scripts/native/lock.mjs'
import { root } from '../../scripts/root.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const cache = join(root, 'node_modules/.cache/l2-native')
const say = (/** @type {string} */ line) => console.log(`peers: ${line}`)

/** Installs the peers as the lockfile beside this says. Throws with what went wrong. */
export async function installPeers() {
  await locked(join(cache, 'peers.lock'), say, async () => {
    if (textOf('node_modules/.pnpm/lock.yaml') === textOf('pnpm-lock.yaml')) return
    say('installing them')
    const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const { status } = spawnSync('npx', ['-y', packageManager, 'install', '--frozen-lockfile'], {
      cwd: here,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    if (status !== 0) throw new Error('the peers of the benchmarks could not be installed')
  })
}

/** Has the native module of @keyv/sqlite compiled, once per machine. Throws with what went wrong. */
export async function buildSqlite3() {
  await locked(join(cache, 'peers.lock'), say, async () => {
    const store = createRequire(realpathSync(join(here, 'node_modules/@keyv/sqlite/package.json')))
    const folder = dirname(store.resolve('sqlite3/package.json'))
    const addon = join(folder, 'build/Release/node_sqlite3.node')
    // It runs on any Node (Node-API), unlike better-sqlite3.
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const kept = join(cache, `sqlite3-${version}-${process.platform}-${process.arch}.node`)
    if (!existsSync(kept)) {
      const failure = await compile(folder, cache, say)
      if (failure) throw new Error(`sqlite3 could not be built\n${failure}`)
      copyFileSync(addon, `${kept}.new`)
      renameSync(`${kept}.new`, kept)
    }
    if (existsSync(addon)) return
    mkdirSync(dirname(addon), { recursive: true })
    copyFileSync(kept, addon)
  })
}

function textOf(/** @type {string} */ file) {
  return existsSync(join(here, file)) ? readFileSync(join(here, file), 'utf8') : undefined
}
