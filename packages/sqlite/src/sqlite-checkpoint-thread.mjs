// @ts-check
// The thread of sqlite-checkpointer.ts, which says why there is one. JavaScript, so that it runs as
// it stands: also from the sources, where tests run it.
import { statSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'

/** @type {{ path: string, identity: string, limit: number, patience: number }} */
const { path, identity, limit, patience } = workerData

// Beside another file that has taken the name of ours is still the log of ours. It would be moved
// into that one.
function checkIdentity() {
  const { dev, ino } = statSync(path, { bigint: true })
  if (`${dev}:${ino}` !== identity) throw new Error('the path names another file')
}
checkIdentity()
const db = new Database(path, { fileMustExist: true, timeout: patience })
checkIdentity()

const checkpoint = (/** @type {'PASSIVE' | 'FULL'} */ mode) =>
  /** @type {{ busy: number, log: number }[]} */ (db.pragma(`wal_checkpoint(${mode})`))[0]

/** A log that is longer than this is too long, in pages. */
let tooLong = limit

function work() {
  // Writers go on meanwhile, so it may never catch up with them.
  const log = checkpoint('PASSIVE')?.log ?? 0
  if (log <= tooLong) return
  // Writers wait: the next one begins the log anew. Where someone reads for long it can't be done,
  // and is not tried again until as much has come on top.
  const stuck = checkpoint('FULL')?.busy !== 0
  tooLong = stuck ? log + limit : limit
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
