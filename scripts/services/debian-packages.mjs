// @ts-check
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from './cache-folder.mjs'
import { execute } from './execute.mjs'
import { findProgram } from './find-program.mjs'

/** What Debian signs with, where it is not trusted for every source anyway. */
const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg'

/**
 * Fetches a Debian (or Ubuntu) package and those of its dependencies that the machine lacks, and
 * only unpacks them into the cache: nothing is installed, so it doesn't take root.
 *
 * @param {string} name
 * @param {(line: string) => void} say
 * @param {{ backports?: boolean }} [options] whether it may be one of the release's backports
 * @returns {Promise<{ folder: string, env: Record<string, string> } | undefined>} where it lies and
 *   what its programs need to find their libraries; undefined on a machine without apt
 */
export async function unpackDebian(name, say, { backports = false } = {}) {
  if (!findProgram('apt-get') || !findProgram('dpkg')) return undefined
  const release = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
  const folder = await cached(`${name}-${release}-${process.arch}`, async work => {
    say(`fetching the Debian package ${name}, to unpack it in the cache: nothing gets installed`)
    const apt = join(work, 'apt')
    for (const archive of await download(name, apt, backports ? release : undefined)) {
      await execute('dpkg', ['-x', archive, join(work, 'root')])
    }
    rmSync(apt, { recursive: true })
  })
  const root = join(folder, 'root')
  return { folder: root, env: { LD_LIBRARY_PATH: libraryFolders(root).join(':') } }
}

/**
 * @param {string} name
 * @param {string} apt folder for what apt writes
 * @param {string} [backportsOf] a release whose backports count too
 */
async function download(name, apt, backportsOf) {
  const archives = join(apt, 'archives')
  const lists = join(apt, 'lists')
  for (const each of [archives, lists]) mkdirSync(join(each, 'partial'), { recursive: true })
  const settings = [
    `Dir::Cache=${apt}`,
    `Dir::Cache::archives=${archives}`,
    'Debug::NoLocking=true',
    'APT::Sandbox::User=root',
    'Acquire::Retries=2',
  ].flatMap(setting => ['-o', setting])
  const install = ['install', '--download-only', '--yes', '--no-install-recommends', name]
  try {
    await execute('apt-get', [...settings, ...install])
  } catch {
    // The machine's package lists are missing or old; only root may renew those.
    const own = [...settings, '-o', `Dir::State::lists=${lists}`]
    if (backportsOf) own.push('-o', `Dir::Etc::sourcelist=${await withBackports(apt, backportsOf)}`)
    // It also fails when one source of several does, which need not be ours: the next step tells.
    await execute('apt-get', [...own, 'update']).catch(() => {})
    await execute('apt-get', [...own, ...install])
  }
  return readdirSync(archives)
    .filter(file => file.endsWith('.deb'))
    .map(file => join(archives, file))
}

/**
 * The machine's list of sources with the backports of its release, from where the release itself is.
 *
 * @param {string} apt
 * @param {string} release
 */
async function withBackports(apt, release) {
  const format = '$(SITE)|$(RELEASE)'
  const targets = await execute('apt-get', [
    'indextargets',
    '--format',
    format,
    'Created-By: Packages',
  ])
  const found = targets
    .split('\n')
    .map(line => line.split('|'))
    .find(([, of]) => of === release)
  if (!found) throw new Error(`no source of ${release}`)
  const [site] = found
  const list = join(apt, 'sources.list')
  const inherited = '/etc/apt/sources.list'
  const lines = [
    ...(existsSync(inherited) ? [readFileSync(inherited, 'utf8')] : []),
    `deb ${existsSync(KEYS) ? `[signed-by=${KEYS}] ` : ''}${site} ${release}-backports main\n`,
  ]
  writeFileSync(list, lines.join('\n'))
  return list
}

function libraryFolders(/** @type {string} */ root) {
  return ['lib', 'usr/lib']
    .map(folder => join(root, folder))
    .filter(existsSync)
    .flatMap(folder => [
      folder,
      ...readdirSync(folder)
        .filter(each => each.includes('-linux-gnu'))
        .map(each => join(folder, each)),
    ])
}
