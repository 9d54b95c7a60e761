// @ts-check
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Runs `work` while no other process of this machine does: two builds in one folder break each
 * other. A lock whose owner died is taken over.
 *
 * @template T
 * @param {string} file
 * @param {(line: string) => void} say
 * @param {() => Promise<T>} work
 */
export async function locked(file, say, work) {
  mkdirSync(dirname(file), { recursive: true })
  let said = false
  while (!take(file)) {
    const owner = Number(readOr(file, '0'))
    if (!alive(owner)) {
      rmSync(file, { force: true })
      continue
    }
    if (!said) say(`process ${owner} is at it already; waiting for it`)
    said = true
    await sleep(500)
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

function take(/** @type {string} */ file) {
  // Written first and linked into place then: nobody sees the lock without its owner in it.
  const own = `${file}.${process.pid}`
  writeFileSync(own, String(process.pid))
  try {
    linkSync(own, file)
    return true
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(own)
  }
}

function readOr(/** @type {string} */ file, /** @type {string} */ otherwise) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return otherwise
  }
}

function alive(/** @type {number} */ pid) {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}
