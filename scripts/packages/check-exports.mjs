// @ts-check
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { run } from '../run.mjs'

const attw = fileURLToPath(
  new URL('dist/index.js', import.meta.resolve('@arethetypeswrong/cli/package.json')),
)

/**
 * What publint and attw find wrong with the way a package offers its modules and types.
 *
 * @param {import('./pack.mjs').Packed} packed
 * @returns {Promise<string[]>}
 */
export async function checkExports({ tarball }) {
  const { buffer } = new Uint8Array(readFileSync(tarball))
  const { messages, pkg } = await publint({ pack: { tarball: buffer } })
  const problems = messages
    .filter(({ type }) => type !== 'suggestion')
    .map(message => formatMessage(message, pkg, { color: false }) ?? message.code)
  try {
    // We publish ES modules only: Node 20.19 and later load them through require as well.
    const args = [tarball, '--profile', 'esm-only', '--no-definitely-typed', '--format', 'ascii']
    run(process.execPath, [attw, ...args])
  } catch (error) {
    problems.push(/** @type {Error} */ (error).message)
  }
  return problems
}
