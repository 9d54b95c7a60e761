// @ts-check
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

// .mjs: what a thread runs as it stands.
const allowed = /^(dist\/.+\.(js|d\.ts|mjs|d\.mts)|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/
const required = ['README.md', 'LICENSE', 'package.json', 'dist/index.js', 'dist/index.d.ts']
const installScripts = ['preinstall', 'install', 'postinstall', 'prepare']

/**
 * What is wrong with what a package would publish.
 *
 * @param {import('./pack.mjs').Packed} packed
 * @returns {string[]}
 */
export function checkContents({ folder, files }) {
  const { scripts = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return [
    ...files.filter(file => !allowed.test(file)).map(file => `${file} has no place in it`),
    ...required.filter(file => !files.includes(file)).map(file => `${file} is missing`),
    // A source that was removed or renamed leaves its output in dist.
    ...files.filter(file => !hasSource(folder, file)).map(file => `${file} has no source any more`),
    ...installScripts.filter(name => scripts[name]).map(name => `it has a script ${name}`),
  ]
}

function hasSource(/** @type {string} */ folder, /** @type {string} */ file) {
  if (!file.startsWith('dist/')) return true
  const source = file.replace(/^dist/, 'src')
  const names = [source.replace(/(\.d)?\.[jt]s$/, '.ts'), source.replace(/(\.d)?\.m[jt]s$/, '.mjs')]
  return names.some(name => existsSync(join(folder, name)))
}
