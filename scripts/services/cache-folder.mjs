// @ts-check
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const folder = join(
  process.env['XDG_CACHE_HOME'] ??
    join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache'),
  'l2-test-servers',
)

/**
 * The cache's folder of this name, made by `fill` if it isn't there yet. It appears whole or not at
 * all, so one that was interrupted is not taken for a good one.
 *
 * @param {string} name
 * @param {(folder: string) => Promise<void>} fill
 */
export async function cached(name, fill) {
  const target = join(folder, name)
  if (existsSync(target)) return target
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(folder, 'work-'))
  try {
    await fill(work)
    // Another process may have been faster: its folder is as good.
    if (!existsSync(target)) renameSync(work, target)
    return target
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
