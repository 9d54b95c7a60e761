// @ts-check
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { conformance } from '@l2/core/conformance'
import { SqliteAdapter } from '@l2/sqlite'
import Database from 'better-sqlite3'
import { Child } from '../../../core/test/support/child-process.mjs'
import { RemoteAdapter } from '../../../core/test/support/remote-adapter.mjs'

/** @typedef {Required<Omit<import('@l2/core/conformance').Subject, 'capabilities' | 'deviations' | 'seed'>>} FullSubject */

const PROGRAM = new URL('child.mjs', import.meta.url)

/** Of adapters whose backend is about to hang, in ms: short, since cases wait for it. */
const SHORT_TIMEOUT = 500

/** A killed writer lives at most this long after its first set, in ms: some hundred sets. */
const LONGEST_LIFE = 30

/** The subject's files, and who breaks them. */
class Files {
  #folder = mkdtempSync(join(tmpdir(), 'l2-sqlite-'))
  /** What ends it, for each file that is broken. @type {Map<string, () => void>} */
  #broken = new Map()

  /**
   * All namespaces of one case begin alike, and share a file that no other case uses: it can be
   * broken while others run.
   */
  of(/** @type {string} */ namespace) {
    const [, base] = /^kit:([0-9a-f]{12}):/.exec(namespace) ?? []
    if (base === undefined) throw new Error(`not a namespace of the kit: ${namespace}`)
    return join(this.#folder, `${base}.db`)
  }

  new() {
    return join(this.#folder, `${randomUUID()}.db`)
  }

  /**
   * SQLite has no server that could hang; what makes a write wait for ever is a writer that never
   * ends. Reads don't wait for writers, so they go on: the kit allows it.
   */
  stall(/** @type {string} */ path) {
    const stranger = new Database(path, { fileMustExist: true })
    stranger.exec('BEGIN IMMEDIATE')
    this.#broken.set(path, () => stranger.close())
  }

  /**
   * Nor is there a connection to cut, but a disk that fails: the operating system gives SQLite fewer
   * bytes of the write-ahead log than were written. It is its SQLITE_IOERR_SHORT_READ, for every
   * transaction, of reads too.
   */
  async cut(/** @type {string} */ path) {
    const log = `${path}-wal`
    // What the adapter was asked to do first may not have begun.
    if (!existsSync(path)) await this.#create(path)
    const stranger = new Database(path, { fileMustExist: true })
    // Writes page 1, with which every transaction begins. From now on nobody's cache holds it, and
    // the only copy is in the log, where it stays.
    stranger.pragma('wal_autocheckpoint = 0')
    stranger.pragma(`user_version = ${stranger.pragma('user_version', { simple: true })}`)
    // So that nothing is written behind the copy.
    stranger.exec('BEGIN IMMEDIATE')
    const copy = readFileSync(log)
    truncateSync(log)
    this.#broken.set(path, () => {
      writeFileSync(log, copy)
      stranger.close()
    })
  }

  async #create(/** @type {string} */ path) {
    const adapter = new SqliteAdapter({ path })
    await adapter.ping()
    await adapter.close()
  }

  restore(/** @type {string} */ path) {
    this.#broken.get(path)?.()
    this.#broken.delete(path)
  }

  remove() {
    for (const path of this.#broken.keys()) this.restore(path)
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/**
 * SqliteAdapter with every hook of the kit.
 *
 * @param {Files} files
 * @param {() => Child} childOf where the next handle of another process is to be.
 * @param {number} timeout of the adapters, in ms.
 * @returns {FullSubject}
 */
function sqliteSubject(files, childOf, timeout) {
  const optionsOf = (/** @type {string} */ prefix) => ({ path: files.of(prefix), prefix, timeout })
  const open = (/** @type {string} */ prefix) => new SqliteAdapter(optionsOf(prefix))
  return {
    open,
    timeout,
    openUnprefixed: () => new SqliteAdapter({ path: files.new(), prefix: '', timeout }),
    openElsewhere: prefix => new RemoteAdapter(childOf(), optionsOf(prefix)),

    /** The rows of tags, by looking into the file. */
    residue(prefix) {
      const db = new Database(files.of(prefix), { readonly: true })
      try {
        const count = 'SELECT count(*) FROM tag JOIN prefix ON id = prefix WHERE name = ?'
        return /** @type {number} */ (db.prepare(count).pluck().get(prefix))
      } finally {
        db.close()
      }
    },
    async sweep(prefix) {
      const adapter = open(prefix)
      await adapter.sweep()
      await adapter.close()
    },

    stall: prefix => files.stall(files.of(prefix)),
    cut: prefix => files.cut(files.of(prefix)),
    restore: prefix => files.restore(files.of(prefix)),

    async crash(prefix, key) {
      const writer = new Child(PROGRAM)
      await writer.ready
      await writer.do('setForEver', [optionsOf(prefix), key])
      await pause(Math.random() * LONGEST_LIFE)
      // The kernel has dropped its locks when it is reaped; what it wrote is in the file.
      await writer.kill('SIGKILL')
    },
  }
}

/**
 * All cases of the kit on real files, for whatever runs them.
 *
 * @param {(subject: FullSubject) => FullSubject} [adapt]
 * @param {number} others how many other processes take turns in having handles.
 */
export function kitCases(adapt = subject => subject, others = 1) {
  const files = new Files()
  const children = Array.from({ length: others }, () => new Child(PROGRAM))
  let turn = 0
  const childOf = () => /** @type {Child} */ (children[turn++ % others])
  const casesOf = (/** @type {number} */ timeout) =>
    conformance(adapt(sqliteSubject(files, childOf, timeout)))
  const hasty = casesOf(SHORT_TIMEOUT)
  const cases = casesOf(5_000).map((one, at) => (one.group === 'stall' && hasty[at]) || one)
  const stop = async () => {
    await Promise.all(children.map(child => child.kill()))
    files.remove()
  }
  return { cases, stop }
}
