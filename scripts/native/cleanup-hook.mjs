// @ts-check
import { cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const call = 'RemoveEnvironmentCleanupHook'

/**
 * Whether a header or a compiled addon has what makes this Node end in the middle of a garbage
 * collection: the headers of 24.19 gave node::ObjectWrap, better-sqlite3's base class, a cleanup
 * hook that only 26 can take away again from there. See nodejs/node issue 65446.
 *
 * @param {Buffer} contents
 */
export function hasCrashingHook(contents) {
  return Number.parseInt(process.versions.node, 10) < 26 && contents.includes(call)
}

/**
 * The same headers with node::ObjectWrap as it was before: where it has the hook, a copy without.
 *
 * @param {string} folder holds include/node
 * @param {string} cache
 */
export function withoutCrashingHook(folder, cache) {
  const name = 'include/node/node_object_wrap.h'
  const header = readFileSync(join(folder, name))
  if (!hasCrashingHook(header)) return folder
  const target = join(cache, `headers-${process.versions.node}-without-hook`)
  if (existsSync(target)) return target
  const work = `${target}.${process.pid}`
  try {
    cpSync(join(folder, 'include/node'), join(work, 'include/node'), { recursive: true })
    const calls = /^ +(Add|Remove)CleanupHook\(\);$/gm
    writeFileSync(join(work, name), header.toString().replace(calls, ''))
    renameSync(work, target)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return target
}
