// @ts-check
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** In which something that workers bring about has to happen, in ms. */
const PATIENCE = 20_000

/**
 * Goes on until it had an effect: a fault that met nothing would not count.
 *
 * @param {string} what
 * @param {() => Promise<boolean>} attempt
 */
export async function eventually(what, attempt) {
  const end = performance.now() + PATIENCE
  while (!(await attempt())) {
    if (performance.now() > end) throw new Error(`they did not ${what}`)
    await pause(5)
  }
}

/** The processes of the server that serve others than us: one at least. */
export async function backends(/** @type {import('pg').Client} */ raw) {
  /** @type {number[]} */
  let pids = []
  await eventually('connect', async () => {
    const { rows } = await raw.query(`
      SELECT pid FROM pg_stat_activity
      WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid`)
    pids = rows.map(({ pid }) => pid)
    return pids.length > 0
  })
  return pids
}

/** Those of them that wait for a lock. */
export async function waiting(/** @type {import('pg').Client} */ raw) {
  const { rows } = await raw.query(`
    SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND wait_event_type = 'Lock' ORDER BY pid`)
  return rows.map(({ pid }) => Number(pid))
}

/** All processes of the server, the first of which starts the others. */
export async function processes(/** @type {import('pg').Client} */ raw) {
  const { rows: folders } = await raw.query('SHOW data_directory')
  const file = join(folders[0].data_directory, 'postmaster.pid')
  const [first = ''] = readFileSync(file, 'utf8').split('\n')
  const { rows } = await raw.query('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()')
  return [Number(first), ...rows.map(({ pid }) => Number(pid))]
}

/**
 * Stops processes for as long as `wait` takes.
 *
 * @param {readonly number[]} pids
 * @param {() => Promise<unknown>} wait
 */
export async function frozen(pids, wait) {
  const stopped = pids.filter(pid => signal(pid, 'SIGSTOP'))
  try {
    await wait()
  } finally {
    for (const pid of stopped) signal(pid, 'SIGCONT')
  }
}

/** Whether there was one. @param {number} pid @param {NodeJS.Signals} name */
function signal(pid, name) {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH') return false
    throw error
  }
}
