import { statSync } from 'node:fs'
import { leftBehindError, movedError } from './sqlite-errors.js'
import { targetOf } from './sqlite-path.js'

/** A path is looked at no more often than this, in ms: a look is a system call, about 4 µs. */
const INTERVAL = 1_000

/** Which file a path names just now: its device and inode. `undefined`: none. */
export function identityOf(path: string): string | undefined {
  // Not opened: see `preparePath`.
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.dev}:${stat.ino}`
}

/**
 * Notices that the path of an open file names another one, or none: SQLite would go on with the
 * old one, unseen by everyone else.
 */
export class PathWatch {
  readonly #path: string
  readonly #file: string
  readonly #identity: string
  /** Of the index of the log, which connections share by its name. */
  readonly #index: string | undefined
  #next = performance.now() + INTERVAL

  /**
   * @param path of a connection that is open and has read.
   * @param file the path as messages show it.
   * @param identity of `path` before it was opened.
   * @throws L2Error `L2_UNAVAILABLE` where it has moved in between.
   */
  constructor(path: string, file: string, identity: string) {
    this.#path = path
    this.#file = file
    this.#identity = identity
    this.#index = identityOf(indexOf(path))
    if (identityOf(path) !== identity) throw movedError(file)
  }

  /** Whether it is time to {@link look}. */
  get isDue(): boolean {
    return performance.now() >= this.#next
  }

  /**
   * Calls `leave`, which closes the connection, and throws where the path names another file.
   *
   * As long as the index of the old file is there, a new connection would share it. The old one
   * stays open then: a closed file's inode may be that of the next file.
   *
   * @throws L2Error `L2_UNAVAILABLE`.
   */
  look(leave: () => void): void {
    if (this.#hasMoved()) {
      if (this.#index !== undefined && identityOf(indexOf(this.#path)) === this.#index)
        throw leftBehindError(this.#file, ['-wal', '-shm'])
      leave()
      throw movedError(this.#file)
    }
    this.#next = performance.now() + INTERVAL
  }

  #hasMoved(): boolean {
    try {
      return identityOf(this.#path) !== this.#identity
    } catch {
      // It may not be looked at any more, which does not say that it has moved.
      return false
    }
  }
}

const indexOf = (path: string): string => `${targetOf(path)}-shm`
