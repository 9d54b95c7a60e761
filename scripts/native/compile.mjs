// @ts-check
import { spawnSync } from 'node:child_process'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withoutCrashingHook } from './cleanup-hook.mjs'
import { nodeDir } from './headers.mjs'
import { runLogged } from './run-logged.mjs'

/**
 * Compiles the addon in its own folder.
 *
 * @param {string} folder better-sqlite3's, or another's
 * @param {string} cache
 * @param {(line: string) => void} say
 * @returns {Promise<string | undefined>} undefined when it succeeded, else what went wrong
 */
export async function compile(folder, cache, say) {
  const missing = missingTools()
  if (missing.length > 0) return `not found on this machine: ${missing.join(', ')}\n${remedy}`
  const headers = nodeDir(cache, say)
  const nodeGyp = fileURLToPath(import.meta.resolve('node-gyp/bin/node-gyp.js'))
  const args = [nodeGyp, 'rebuild', '--release', '--jobs=max']
  if (headers) args.push(`--nodedir=${withoutCrashingHook(headers, cache)}`)
  say(`compiling ${basename(folder)} for Node ${process.versions.node}: one to two minutes`)
  const { ok, log } = await runLogged(process.execPath, args, {
    cwd: folder,
    log: join(cache, 'compile.log'),
    timeout: 15 * 60_000,
    tick: (seconds, text) => say(`compiling for ${seconds} s: ${doing(text)}`),
  })
  if (ok) return undefined
  const tail = log.trimEnd().split('\n').slice(-25).join('\n')
  return `${tail}\n\nthe compiler failed; its last lines are above\n${remedy}`
}

const remedy =
  process.platform === 'darwin'
    ? 'It takes python3, make and a C++20 compiler: xcode-select --install'
    : 'It takes python3, make and a C++20 compiler; on Debian and Ubuntu: apt-get install python3 make g++'

function missingTools() {
  const works = (/** @type {string} */ tool) => spawnSync(tool, ['--version']).status === 0
  return [
    ...(works(process.env['PYTHON'] ?? 'python3') ? [] : ['python3']),
    ...(works('make') ? [] : ['make']),
    ...([process.env['CXX'] ?? 'g++', 'c++', 'clang++'].some(works) ? [] : ['g++']),
  ]
}

/** What make said last, without the path of its output. */
function doing(/** @type {string} */ log) {
  const steps = log.match(/^ +(CC|CXX|AR|SOLINK_MODULE|ACTION|TOUCH|COPY)\b.*$/gm)
  const [, verb, file] = /^ +(\w+).*?([\w.-]+)\s*$/.exec(steps?.at(-1) ?? '') ?? []
  return verb ? `${verb} ${file}` : 'preparing'
}
