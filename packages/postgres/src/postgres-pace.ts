import type { Row } from './postgres-connection.js'

/** How long a slice is to take the server, in ms: others may wait for the rows that it has locked. */
const SLICE = 20

/** Rows in the first slice: how large they are, nobody knows. */
const FIRST = 32

const MOST = 1_000

/**
 * Fewer would hardly take less time, unless they are very large: where each slice has to wait for a
 * server that is overloaded, single rows would have a million of those waits.
 */
const LEAST = 8

/** How much larger the next slice may be. */
const GROWTH = 4

/** What a slice did. */
export interface Slice {
  readonly removed: number
  /** Tag rows that it removed. */
  readonly untagged: number
  /** The place of the last row that it looked at. */
  readonly last: readonly string[]
  /** Whether there was nothing more to look at. */
  readonly isLast: boolean
  /** Whether somebody else was at it, so that it did nothing. */
  readonly isBusy: boolean
}

/** How large slices are: as large as the server does in {@link SLICE}. */
export class Pace {
  rows = FIRST

  /**
   * What a slice answered that was to look at so many rows: when it began by the server's clock, rows
   * found, removed, the place of the last, tag rows removed, and when it was done.
   */
  after([begun, found, removed, last, untagged, ended]: Row, asked: number): Slice {
    const took = Math.max(Number(ended) - Number(begun), 0.1)
    const next = Math.min(asked * (SLICE / took), asked * GROWTH, MOST)
    if (begun !== undefined) this.rows = Math.max(Math.floor(next), LEAST)
    return {
      removed: Number(removed ?? 0),
      untagged: Number(untagged ?? 0),
      last: (last ?? '').split(' '),
      isLast: Number(found ?? 0) < asked,
      isBusy: begun === undefined,
    }
  }
}
