import type { Row } from './postgres-query.js'

/** How long a slice is to take the server, in ms: others may wait for the rows that it has locked. */
const SLICE = 40

/** Rows in the first slice: how large they are, nobody knows. */
const FIRST = 32

const MOST = 1_000

/**
 * Fewer would hardly take less time where rows are small, as a rule: what such a slice takes is spent
 * on waiting for a busy server, and more of them would wait more often. 128 rows take some 6 ms.
 */
const ENOUGH = 128

/**
 * What takes longer than this, in ms, has large rows: half of them are enough next time. Or the server is
 * slow whatever it is asked for, which the next slice tells.
 */
const TOO_LONG = 100

/** Even of the largest: a million single rows would take for ever. */
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
  #enough = ENOUGH
  /** The slice before, if it took too long. */
  #slow: { readonly rows: number; readonly ms: number } | undefined

  /**
   * What a slice answered that was to look at so many rows: when it began by the server's clock, rows
   * found, removed, the place of the last, tag rows removed, and when it was done.
   */
  after([begun, found, removed, last, untagged, ended]: Row, asked: number): Slice {
    const took = Math.max(Number(ended) - Number(begun), 0.1)
    const next = Math.min(asked * (SLICE / took), asked * GROWTH, MOST)
    if (begun !== undefined) {
      const isSlow = took > TOO_LONG
      if (isSlow && !this.#isServerSlow(asked, took))
        this.#enough = Math.max(this.#enough / 2, LEAST)
      // Where few rows take as long as many, many are better.
      else if (isSlow || took < SLICE) this.#enough = Math.min(this.#enough * 2, ENOUGH)
      this.#slow = isSlow ? { rows: asked, ms: took } : undefined
      this.rows = Math.max(Math.floor(next), Math.min(this.#enough, asked * GROWTH))
    }
    return {
      removed: Number(removed ?? 0),
      untagged: Number(untagged ?? 0),
      last: (last ?? '').split(' '),
      isLast: Number(found ?? 0) < asked,
      isBusy: begun === undefined,
    }
  }

  /** Whether more or fewer rows than in the slice before did not take accordingly more or less time. */
  #isServerSlow(rows: number, ms: number): boolean {
    if (this.#slow === undefined || this.#slow.rows === rows) return false
    const perRow = (ms - this.#slow.ms) / (rows - this.#slow.rows)
    return perRow * rows < ms / 2
  }
}
