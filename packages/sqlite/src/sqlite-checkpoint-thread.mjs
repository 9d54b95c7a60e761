// @ts-check
// The thread of sqlite-checkpointer.ts, which says why there is one. JavaScript, so that it runs as
// it stands: also from the sources, where tests run it.
import { realpathSync, statSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'

/**
 * @type {{ path: string, identity: string, tooLong: number, tooLarge: number, patience: number }}
 */
const { path, identity, tooLong, tooLarge, patience } = workerData

// Beside another file that has taken the name of ours is still the log of ours. It would be moved
// into that one.
function checkIdentity() {
  const { dev, ino } = statSync(path, { bigint: true })
  if (`${dev}:${ino}` !== identity) throw new Error('the path names another file')
}
checkIdentity()
const db = new Database(path, { fileMustExist: true, timeout: patience })
checkIdentity()

/** SQLite puts the log beside the file that a symbolic link names. */
const logPath = `${realpathSync(path)}-wal`

const checkpoint = (/** @type {'PASSIVE' | 'RESTART' | 'TRUNCATE'} */ mode) =>
  /** @type {{ busy: number, log: number }[]} */ (db.pragma(`wal_checkpoint(${mode})`))[0]

/** What the next attempts to have the log begin anew are spared, after one that failed. */
let spared = 0

function work() {
  // Writers go on meanwhile, so it may never catch up with them.
  const log = checkpoint('PASSIVE')?.log ?? 0
  const isTooLarge = statSync(logPath).size > tooLarge
  if (log <= tooLong && !isTooLarge) return
  if (spared-- > 0) return
  // Writers wait, and the next one begins the log anew. Where someone reads for long it can't be
  // done.
  const isStuck = checkpoint(isTooLarge ? 'TRUNCATE' : 'RESTART')?.busy !== 0
  spared = isStuck ? 8 : 0
}

parentPort?.on('message', what => {
  try {
    work()
  } catch {
    // The log stays as it is, and whatever is wrong with the disk fails the next write too.
  }
  if (what === 'close') {
    db.close()
    process.exit()
  } else {
    parentPort?.postMessage('done')
  }
})
