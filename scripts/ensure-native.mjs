// @ts-check
// Makes better-sqlite3 load under the Node that runs this. Its own install script is switched off
// (see pnpm-workspace.yaml): it needs hosts beside the npm registry. Runs after every install, and
// before whatever opens a SQLite file, since switching Node versions undoes what an install built.
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import { addonFile, addonFolder, whyNotLoading } from './native/addon.mjs'
import { compile } from './native/compile.mjs'
import { locked } from './native/lock.mjs'
import { downloadPrebuilt } from './native/prebuilt.mjs'
import { root } from './root.mjs'

const cache = join(root, 'node_modules/.cache/l2-native')
const say = (/** @type {string} */ line) => console.log(`ensure-native: ${line}`)

/** Throws, with what to do, when better-sqlite3 can't be made to load. */
export async function ensureNative() {
  const folder = addonFolder()
  if (!folder) throw new Error('better-sqlite3 is not installed: install the dependencies first')
  if (whyNotLoading(folder) === undefined) return
  await locked(join(cache, 'lock'), say, () => build(folder))
}

async function build(/** @type {string} */ folder) {
  // Asked again: another process may have built it while this one waited.
  const reason = whyNotLoading(folder)
  if (reason === undefined) return
  say(`better-sqlite3 does not load: ${reason}`)

  const file = addonFile(folder)
  const kept = join(cache, keptName(folder))
  if (existsSync(kept)) {
    replace(kept, file)
    if (whyNotLoading(folder) === undefined) return say('took the build made earlier for this Node')
  }

  const start = Date.now()
  let how = 'downloaded'
  if (!(await downloadPrebuilt(folder, cache)) || whyNotLoading(folder) !== undefined) {
    how = 'compiled'
    const failure = (await compile(folder, cache, say)) ?? whyNotLoading(folder)
    if (failure) throw new Error(`better-sqlite3 could not be built\n${failure}`)
  }
  replace(file, kept)
  say(`better-sqlite3 ${how} in ${Math.round((Date.now() - start) / 1000)} s`)
}

/** One build per ABI is kept, so that going back and forth between Node versions costs one each. */
function keptName(/** @type {string} */ folder) {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const { platform, arch, versions } = process
  return `better_sqlite3-${version}-abi${versions.modules}-${platform}-${arch}.node`
}

/** By renaming: to write into a library that a running process has mapped would crash it. */
function replace(/** @type {string} */ from, /** @type {string} */ to) {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, `${to}.new`)
  renameSync(`${to}.new`, to)
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await ensureNative()
  } catch (error) {
    console.error(`ensure-native: ${/** @type {Error} */ (error).message}`)
    process.exit(1)
  }
}
