import type { Failure } from '@l2/core'
import Database from 'better-sqlite3'
import { CHECKPOINT_PAGES, Checkpointer, TOO_LARGE } from './sqlite-checkpointer.js'
import { describeError, isDamage, movedError, openingError } from './sqlite-errors.js'
import { createLayout, inspect, useWriteAheadLog } from './sqlite-layout.js'
import { preparePath } from './sqlite-path.js'
import { restartLog, SizeLimit } from './sqlite-size.js'
import { prepareStatements, type Statements, shrinkBy } from './sqlite-sql.js'
import { identityOf, PathWatch } from './sqlite-watch.js'

/**
 * To look at the log costs a tenth of a small `set`, so it waits for this much work, in ms: at most
 * about 1 MiB.
 */
const LOOK = 2

/** The path of a database in memory, private to its adapter (sqlite.org/inmemorydb.html). */
export const MEMORY = ':memory:'

interface Connection {
  readonly db: Database.Database
  readonly statements: Statements
  readonly size: SizeLimit
  /** Of a file, as opposed to memory. */
  readonly watch?: PathWatch
}

/**
 * One connection to one file, opened when it is first used. Everything here is synchronous and
 * never waits for a lock: it throws what `isBusy` recognises, having changed nothing.
 */
export class SqliteClient {
  readonly #path: string
  /** The path as messages show it. */
  readonly #file: string
  readonly #maxBytes: number | undefined
  #connection: Connection | undefined
  #damaged = false
  #checkpointer: Checkpointer | undefined
  /** About how many bytes this transaction has stored. */
  written = 0
  #begun = 0
  #sinceLook = 0
  /** The ids of prefixes that are known to be in the file. */
  readonly prefixes = new Map<string, number>()

  /**
   * @param path absolute, or {@link MEMORY}.
   * @param maxBytes what the file may grow to.
   */
  constructor(path: string, maxBytes?: number) {
    this.#path = path
    this.#file = JSON.stringify(path)
    this.#maxBytes = maxBytes
  }

  get isOpen(): boolean {
    return this.#connection !== undefined
  }

  /** Whether this process is moving the log into the file. */
  get isCheckpointing(): boolean {
    return this.#checkpointer?.isBusy ?? false
  }

  /** The statements, each of which is a transaction by itself. Opens the file if need be. */
  statements(): Statements {
    return this.#connected().statements
  }

  /** How large the file may get. Opens it if need be. */
  get size(): SizeLimit {
    return this.#connected().size
  }

  /** Takes the write lock. Not BEGIN: a transaction that reads first may find that it can't write. */
  begin(): void {
    this.#begun = performance.now()
    this.written = 0
    this.statements().begin.run()
  }

  commit(): void {
    this.statements().commit.run()
    this.#sinceLook += performance.now() - this.#begun
    if (this.#sinceLook < LOOK || this.#checkpointer?.isBusy !== false) return
    this.#sinceLook = 0
    try {
      this.#lookAtLog(this.#checkpointer)
    } catch {
      // It is done all the same. What is wrong with the file, the next call will tell.
    }
  }

  #lookAtLog(checkpointer: Checkpointer): void {
    // Not by way of `statements`: that a file has moved is for a call to tell.
    const { statements, size } = this.#connection ?? this.#connected()
    const [, pages = 0, moved = 0] = statements.logState.get() ?? []
    if (pages - moved < CHECKPOINT_PAGES) return
    size.lookAtDisk(pages)
    checkpointer.start()
  }

  rollback(): void {
    // What it added may be undone.
    this.prefixes.clear()
    // A failure of the disk has ended it already.
    if (this.#connection?.db.inTransaction) this.#connection.statements.rollback.run()
  }

  /** Has the log written again from its start, where nobody uses it just now. */
  restartLog(): void {
    restartLog(this.#connected().db)
  }

  /** Gives up to `pages` free pages back to the file system. */
  shrink(pages: number): void {
    // exec, as each page is a step of the statement.
    this.#connected().db.exec(shrinkBy(pages))
  }

  /** What an error of this connection means. */
  describe(error: unknown): Failure | undefined {
    if (isDamage(error)) this.#damaged = true
    return describeError(error, this.#file)
  }

  /** The last of all connections to a file has SQLite move the log into it: the thread's, if any. */
  async close(): Promise<void> {
    const checkpointer = this.#checkpointer
    this.#checkpointer = undefined
    this.#leave()
    await checkpointer?.close()
  }

  #connected(): Connection {
    this.#leaveIfUseless()
    this.#connection ??= this.#open()
    return this.#connection
  }

  /** Closes a connection to a file that was damaged, or that the path does not name any more. */
  #leaveIfUseless(): void {
    const open = this.#connection
    // What a transaction has begun, it may finish.
    if (!(this.#damaged || open?.watch?.isDue) || open?.db.inTransaction) return
    open?.watch?.look(() => this.#leave())
    // What it remembers of the file may be older than a repair.
    if (this.#damaged) this.#leave()
  }

  #leave(): void {
    this.#checkpointer?.close()
    this.#checkpointer = undefined
    this.#connection?.db.close()
    this.#connection = undefined
    this.#damaged = false
    this.prefixes.clear()
  }

  #open(): Connection {
    try {
      if (this.#path === MEMORY) return this.#setUp(new Database(MEMORY))
      preparePath(this.#path, this.#file)
      const identity = identityOf(this.#path)
      if (identity === undefined) throw movedError(this.#file)
      // A wait for a lock would stop this process's event loop: the queue waits instead.
      const db = new Database(this.#path, { timeout: 0, fileMustExist: true })
      try {
        const connection = this.#setUp(db, identity)
        return { ...connection, watch: new PathWatch(this.#path, this.#file, identity) }
      } catch (error) {
        db.close()
        throw error
      }
    } catch (error) {
      throw openingError(error, this.#file)
    }
  }

  /** @param identity of a file, as opposed to memory. */
  #setUp(db: Database.Database, identity?: string): Connection {
    // Functions in the schema of a file that someone prepared can do no harm.
    db.pragma('trusted_schema = OFF')
    // Safe against a crash of the process. A power failure may cost the last commits, never the
    // file (sqlite.org/pragma.html#pragma_synchronous).
    db.pragma('synchronous = NORMAL')
    if (inspect(db, this.#file) === 'blank') createLayout(db, this.#file)
    // Compiled before anything is changed: they need all tables to be ours.
    const statements = prepareStatements(db)
    useWriteAheadLog(db, this.#file)
    if (identity !== undefined) {
      db.pragma('wal_autocheckpoint = 0')
      this.#checkpointer = new Checkpointer({ path: this.#path, identity }, () => {
        if (!db.open) return
        db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
        db.pragma(`journal_size_limit = ${TOO_LARGE}`)
      })
    }
    return { db, statements, size: new SizeLimit(db, this.#maxBytes) }
  }
}
