// @ts-check
// The parent of every throw-away server. It lives in a process of its own, out of reach of a
// ctrl-C, and ends its children and removes their folder as soon as the channel to its launcher
// closes: by the launcher's wish or, just the same, by its crash or a kill -9. Being their parent,
// it can never hit a stranger who got a dead server's process id.
import { spawn } from 'node:child_process'
import { chmodSync, closeSync, mkdtempSync, openSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isOpenToOthers } from './unprivileged.mjs'

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */
/** @typedef {import('./server-host.mjs').Command} Command */

const patience = 5000
/** @type {Map<ChildProcess, { stopSignal: NodeJS.Signals, ended: Promise<void> }>} */
const children = new Map()
let stopping = false

// Root's servers that must not be root have to get in.
const isRoot = process.getuid?.() === 0
const base = isRoot && !isOpenToOthers(tmpdir()) ? '/tmp' : tmpdir()
const folder = mkdtempSync(join(base, 'l2-services-'))
if (isRoot) chmodSync(folder, 0o711)

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
process.on('disconnect', stop)
process.on('message', message => start(/** @type {{ id: number, command: Command }} */ (message)))
tell({ folder })

/** @param {{ id: number, command: Command }} message */
function start({ id, command }) {
  if (stopping) return
  const log = openSync(command.log, 'a')
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: { ...process.env, ...command.env },
    stdio: ['ignore', log, log],
    ...(command.as && { uid: command.as.uid, gid: command.as.gid }),
  })
  closeSync(log)
  /** @type {Promise<void>} */
  const ended = new Promise(resolve => {
    const end = (/** @type {object} */ how) => {
      children.delete(child)
      tell({ id, ...how })
      resolve()
    }
    child.once('error', error => end({ error: error.message }))
    child.once('exit', (code, signal) => end({ code, signal }))
  })
  children.set(child, { stopSignal: command.stopSignal ?? 'SIGTERM', ended })
  if (child.pid !== undefined) tell({ id, pid: child.pid })
}

async function stop() {
  if (stopping) return
  stopping = true
  await Promise.all(
    [...children].map(async ([child, { stopSignal, ended }]) => {
      child.kill(stopSignal)
      const timer = setTimeout(() => child.kill('SIGKILL'), patience)
      await ended
      clearTimeout(timer)
    }),
  )
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  process.exit(0)
}

function tell(/** @type {object} */ message) {
  if (process.connected) process.send?.(message, undefined, {}, () => {})
}
