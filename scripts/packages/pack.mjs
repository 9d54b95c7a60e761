// @ts-check
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.mjs'
import { run } from '../run.mjs'

/**
 * @typedef {object} Packed
 * @property {string} name
 * @property {string} folder
 * @property {string} tarball
 * @property {string[]} files paths in the tarball
 */

/**
 * Packs every package, as publishing would.
 *
 * @param {string} target folder for the tarballs
 * @returns {Packed[]}
 */
export function packAll(target) {
  return readdirSync(join(root, 'packages')).map(each => {
    const folder = join(root, 'packages', each)
    const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const args = ['pack', '--json', '--pack-destination', target]
    const { filename, files } = JSON.parse(run('pnpm', args, { cwd: folder }))
    return { name, folder, tarball: filename, files: files.map(pathOf) }
  })
}

function pathOf(/** @type {{ path: string }} */ file) {
  return file.path
}
