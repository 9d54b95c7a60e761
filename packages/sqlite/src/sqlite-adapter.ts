import { setTimeout as pause } from 'node:timers/promises'
import {
  type Awaitable,
  type Backend,
  type Call,
  type Failure,
  GuardedAdapter,
  L2Error,
  type Slices,
} from '@l2/core'
import type { Cursor, Slice } from './sqlite-bulk.js'
import { SqliteClient } from './sqlite-client.js'
import { checkedPath, checkedSize, type SqliteAdapterOptions } from './sqlite-options.js'
import { CallQueue, EVERYTHING, NOTHING } from './sqlite-queue.js'
import { sizeOf } from './sqlite-size.js'
import { SqliteStore } from './sqlite-store.js'
import { SqliteTransactions } from './sqlite-transactions.js'

/** The lock is free for this long between two slices, in ms, so that others who wait get it. */
const GAP = 1

/** In bytes (sqlite.org/limits.html, item 1), less the room that the rest of the row takes. */
const LARGEST_VALUE = 999_000_000

/** In ms. Where a disk is slower than this, bulk work goes on all the same. */
const LONGEST_GAP = 200

/** The largest entry, as a share of `maxBytes`: the rest is for tables, indexes and headroom. */
const LARGEST_SHARE = 7 / 8

/**
 * The contract over one SQLite file that any number of processes on one machine share.
 *
 * Opens the file at the first call and tries again at the next one where that failed. A `get` is
 * one lookup, done at once. The writes of one turn of the event loop share a transaction, in order;
 * a bulk call is transactions of about 4 ms each. A call that finds the file locked waits without
 * blocking the event loop, at most `timeout`. Every write is atomic, also when the process is killed
 * in the middle; a power failure may undo the last ones.
 *
 * Failures are an `L2Error`:
 * - `L2_UNAVAILABLE`: the file can't be opened, read or written; its directory is missing; it was
 *   deleted or replaced. The next call tries again.
 * - `L2_TIMEOUT`: another process held the lock for longer than `timeout`.
 * - `L2_READ_ONLY`: the file, its directory or the file system takes no writes.
 * - `L2_FULL`: the disk is full, or the value is too large for `maxBytes`.
 * - `L2_UNSUITABLE_BACKEND`: not a database, or another program's (left as it is); a path that can't
 *   be a file; a file system without shared memory; a driver that is not built for this Node.js.
 * - `L2_SCHEMA_MISMATCH`: the layout of another version of this package.
 * - `L2_CORRUPT_STORE`: the file is damaged; it is left as it is. Remove it with `-wal` and `-shm`,
 *   also while processes use it.
 * - `L2_UNSUPPORTED`: a value over about 1 GB.
 *
 * @example
 * await using adapter = new SqliteAdapter({ path: 'cache.db' })
 * await adapter.set('user:1', bytes, { ttl: 60_000, tags: ['users'] })
 */
export class SqliteAdapter extends GuardedAdapter {
  /** @throws TypeError, RangeError where an option is not what it should be. */
  constructor(options: SqliteAdapterOptions) {
    super(options, ({ prefix }) => {
      const path = checkedPath(options?.path)
      return new SqliteBackend(path, prefix, checkedSize(options.maxBytes))
    })
  }
}

class SqliteBackend implements Backend {
  // better-sqlite3 copies each blob into a Buffer of its own.
  readonly readsAreFresh = true
  readonly #maxBytes: number | undefined
  readonly #client: SqliteClient
  readonly #store: SqliteStore
  readonly #queue: CallQueue

  constructor(path: string, prefix: string, maxBytes: number | undefined) {
    this.#maxBytes = maxBytes
    this.#client = new SqliteClient(path, maxBytes)
    this.#store = new SqliteStore(this.#client, prefix, maxBytes !== undefined)
    this.#queue = new CallQueue(new SqliteTransactions(this.#client))
  }

  get(key: string, call: Call): Awaitable<Uint8Array | undefined> {
    return this.#queue.read(call, key, () => this.#store.get(key))
  }

  set(
    key: string,
    value: Uint8Array,
    ttl: number,
    tags: readonly string[],
    call: Call,
  ): Awaitable<void> {
    this.#checkSize(key, value, tags)
    return this.#queue.write(call, key, () => this.#store.set(key, value, ttl, tags))
  }

  delete(key: string, call: Call): Awaitable<void> {
    return this.#queue.write(call, key, () => this.#store.delete(key))
  }

  deleteByTag(tag: string, call: Call): Slices {
    return this.#inSlices<number>(call, at => this.#store.removeTagged(tag, at))
  }

  clear(call: Call): Slices {
    return this.#inSlices<string>(call, at => this.#store.removeAll(at))
  }

  async *sweep(call: Call): AsyncGenerator<number, void> {
    let cursor: Cursor<number> | undefined
    do {
      const found = await this.#queue.read(call, NOTHING, () => this.#store.findExpired(cursor))
      for (let { ids } = found; ids.length > 0; ) {
        const done = await this.#queue.write(call, NOTHING, () => this.#store.removeExpired(ids))
        yield done.removed
        ids = ids.slice(done.seen)
        await this.#leaveGap(call)
      }
      cursor = found.next
      // A step that found nothing is a slice too.
      if (found.ids.length === 0) yield 0
    } while (cursor !== undefined)
    while (await this.#queue.read(call, NOTHING, () => this.#store.isOverfull())) {
      // Each transaction evicts a slice.
      await this.#queue.write(call, NOTHING, () => {})
      yield 0
      await this.#leaveGap(call)
    }
    // Looks first, as a file that has nothing to give back needs no lock.
    while ((await this.#queue.read(call, NOTHING, () => this.#store.sparePages())) > 0) {
      if (!(await this.#queue.write(call, NOTHING, () => this.#store.shrink()))) return
      yield 0
      await this.#leaveGap(call)
    }
  }

  ping(call: Call): Awaitable<void> {
    return this.#queue.write(call, NOTHING, () => this.#store.touch())
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  describe(error: unknown): Failure | undefined {
    return this.#client.describe(error)
  }

  #checkSize(key: string, value: Uint8Array, tags: readonly string[]): void {
    if (value.length > LARGEST_VALUE)
      throw new L2Error('L2_UNSUPPORTED', `SQLite takes values up to ${LARGEST_VALUE} bytes.`)
    if (this.#maxBytes === undefined) return
    const [size, largest] = [sizeOf(key, value, tags), this.#maxBytes * LARGEST_SHARE]
    if (size > largest)
      throw new L2Error(
        'L2_FULL',
        `an entry of ${size} bytes, with its key and tags, is too large for \`maxBytes\`: ` +
          `${this.#maxBytes} takes entries up to ${largest}.`,
        { retryable: false },
      )
  }

  /** @param slice does one slice, at the beginning or where the cursor says. */
  async *#inSlices<T extends number | string>(
    call: Call,
    slice: (cursor: Cursor<T> | undefined) => Slice<T>,
  ): AsyncGenerator<number, void> {
    let cursor: Cursor<T> | undefined
    for (;;) {
      const { removed, next } = await this.#queue.write(call, EVERYTHING, () => slice(cursor))
      yield removed
      if (next === undefined) return
      cursor = next
      await this.#leaveGap(call)
    }
  }

  /**
   * Lets others have the lock, and lets a checkpoint end: what is written while the disk is busy with
   * one stops the event loop for as long as that takes, 30 ms and more.
   */
  async #leaveGap(call: Call): Promise<void> {
    const end = performance.now() + LONGEST_GAP
    do await pause(GAP, undefined, { ref: !call.background })
    while (this.#client.isCheckpointing && performance.now() < end)
  }
}
