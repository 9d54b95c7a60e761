import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type AdapterOptions,
  type Awaitable,
  type Backend,
  type Call,
  type Failure,
  GuardedAdapter,
  L2Error,
  type Slices,
} from '@l2/core'
import type { Cursor, Slice } from './sqlite-bulk.js'
import { MEMORY, SqliteClient } from './sqlite-client.js'
import { CallQueue, EVERYTHING, NOTHING } from './sqlite-queue.js'
import { SqliteStore } from './sqlite-store.js'
import { SqliteTransactions } from './sqlite-transactions.js'

/** The lock is free for this long between two slices, in ms, so that others who wait get it. */
const GAP = 1

/** A smaller file would be filled by a few values. */
const LEAST_SIZE = 2 ** 20

/** The largest value, as a share of `maxBytes`: the rest is for tables, indexes and headroom. */
const LARGEST_SHARE = 7 / 8

/** What `new SqliteAdapter()` takes. */
export interface SqliteAdapterOptions extends AdapterOptions {
  /**
   * The database file, taken literally (`file:` and `?` mean nothing), relative to the working
   * directory. It is created where it does not exist; its directory has to be there. `':memory:'`
   * is a database of this adapter alone. Processes and adapters that name the same file share it.
   */
  readonly path: string
  /**
   * How large the file may get, in bytes, at least 1 MiB; its log comes on top (see README.md).
   * Default: as the disk has room. Where it is reached, the entries of all prefixes that were set
   * longest ago go first. It binds this adapter alone: give all that share a file the same.
   */
  readonly maxBytes?: number | undefined
}

/**
 * The contract over one SQLite file that any number of processes on one machine share.
 *
 * Opens the file at the first call and tries again at the next one where that failed. A call that
 * finds the file locked waits without blocking the event loop, at most `timeout`. An operation is
 * synchronous once it has the lock: a `get` is one lookup, a `set` or `delete` one transaction, a
 * bulk call transactions of about 4 ms each. Every write is atomic, also when the process is killed
 * in the middle; a power failure may undo the last ones.
 *
 * Failures are an `L2Error`: `L2_UNAVAILABLE` (can't open, read or write the file), `L2_TIMEOUT`
 * (locked for too long), `L2_READ_ONLY`, `L2_FULL` (the disk), `L2_UNSUITABLE_BACKEND` (not a
 * database, or another program's: left as it is; a path that can't be a file; a driver that is not
 * built), `L2_SCHEMA_MISMATCH` (another version of this package), `L2_CORRUPT_STORE`,
 * `L2_UNSUPPORTED` (a value over about 1 GB). README.md has the remedies.
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
    if (this.#maxBytes !== undefined && value.length > this.#maxBytes * LARGEST_SHARE)
      throw new L2Error(
        'L2_FULL',
        `a value of ${value.length} bytes is too large for \`maxBytes\`, ${this.#maxBytes}.`,
      )
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

  #leaveGap(call: Call): Promise<void> {
    return pause(GAP, undefined, { ref: !call.background })
  }
}

/** @throws TypeError, RangeError where `maxBytes` is no size of a file. */
function checkedSize(maxBytes: unknown): number | undefined {
  if (maxBytes === undefined) return undefined
  if (typeof maxBytes !== 'number') throw new TypeError('maxBytes must be a number of bytes')
  if (!(maxBytes >= LEAST_SIZE && maxBytes <= Number.MAX_SAFE_INTEGER))
    throw new RangeError(`maxBytes must be at least ${LEAST_SIZE} (1 MiB), not ${maxBytes}`)
  return maxBytes
}

/** @throws TypeError where `path` can't name a file for better-sqlite3. */
function checkedPath(path: unknown): string {
  if (typeof path !== 'string' || path === '')
    throw new TypeError("path must be the name of a file, or ':memory:'")
  if (path === MEMORY) return path
  // Absolute, so that a change of the working directory changes nothing, and so that no path looks
  // like a URI. better-sqlite3 cuts white space off the end, and C strings end at a NUL.
  const absolute = resolve(path)
  if (absolute !== absolute.trim() || absolute.includes('\0'))
    throw new TypeError('path must not end with white space or hold a NUL character')
  return absolute
}
