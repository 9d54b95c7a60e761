import { resolve } from 'node:path'
import type { AdapterOptions } from '@l2/core'
import { MEMORY } from './sqlite-client.js'

/** A smaller file would be filled by a few values. */
const LEAST_SIZE = 2 ** 20

/** What `new SqliteAdapter()` takes. */
export interface SqliteAdapterOptions extends AdapterOptions {
  /**
   * The database file, taken literally (`file:` and `?` mean nothing), relative to the working
   * directory. It is created where it does not exist; its directory has to be there. `':memory:'`
   * is a database of this adapter alone. Processes and adapters that name the same file share it.
   */
  readonly path: string
  /**
   * How large the file may get, in bytes, at least 1 MiB; its log comes on top (README.md).
   * Default: as the disk has room. Where it is reached, the entries of all prefixes that were set
   * longest ago go first. It binds this adapter alone: give all that share a file the same.
   */
  readonly maxBytes?: number | undefined
}

/** @throws TypeError, RangeError where `maxBytes` is no size of a file. */
export function checkedSize(maxBytes: unknown): number | undefined {
  if (maxBytes === undefined) return undefined
  if (typeof maxBytes !== 'number') throw new TypeError('maxBytes must be a number of bytes')
  if (!(maxBytes >= LEAST_SIZE && maxBytes <= Number.MAX_SAFE_INTEGER))
    throw new RangeError(`maxBytes must be at least ${LEAST_SIZE} (1 MiB), not ${maxBytes}`)
  return maxBytes
}

/** @throws TypeError where `path` can't name a file for better-sqlite3. */
export function checkedPath(path: unknown): string {
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
