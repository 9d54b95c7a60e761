import { after, clock, type End, earlier, isOver, later, small, type Time } from './clock.js'
import type { EntrySettings } from './entry-options.js'

/** A value as L1 keeps it. */
export interface Entry {
  /** The caller's own object, or, with `clone`, its serialized bytes: see `kept`. */
  readonly value: unknown
  /** To be refreshed from then on; no later than `logicalExpiry`. */
  readonly refreshAt: End
  /** Stale from then on; no later than `physicalExpiry`. */
  readonly logicalExpiry: End
  /** Gone from then on. */
  readonly physicalExpiry: End
  readonly tags: readonly string[]
  /** When the value was made; L2 entries of other writers may lack it. */
  readonly createdAt: Time | undefined
  /** Bytes, where L1 counts them. */
  readonly size: number
}

/** What is added to the ttls of one value: the same to each, so that their order stays. */
export const addedTo = ({ jitter }: EntrySettings): number =>
  jitter === 0 ? 0 : Math.round(Math.random() * jitter)

/**
 * An entry of one layer.
 *
 * @param ttl ms that it is fresh, before `added`; 0 = for ever.
 * @param createdAt no later than its value was made.
 * @param time when its life begins.
 */
export function entryOf(
  value: unknown,
  size: number,
  { tags, eagerRefresh, failSafe }: EntrySettings,
  ttl: number,
  added: number,
  createdAt: Time,
  time: Time,
): Entry {
  const logicalExpiry = after(time, ttl, added)
  return {
    value,
    refreshAt: refreshTime(eagerRefresh, time, logicalExpiry),
    logicalExpiry,
    physicalExpiry: failSafe.on
      ? later(logicalExpiry, after(time, failSafe.maxDuration, added))
      : logicalExpiry,
    tags,
    createdAt,
    size,
  }
}

/** When an entry that began to live at `since` is to be refreshed. @param eagerRefresh 0 = never. */
export function refreshTime(eagerRefresh: number, since: Time | undefined, end: End): End {
  if (eagerRefresh === 0 || since === undefined || end === undefined) return end
  return Math.min(small(Math.ceil(since + (end - since) * eagerRefresh)), end)
}

/** What L1 gets of an entry that L2 has: where it has a life of its own there, `ttl` is L1's. */
export function promoted(entry: Entry, { ttl, l2Ttl }: EntrySettings): Entry {
  if (l2Ttl === undefined || ttl === 0) return entry
  const logicalExpiry = earlier(entry.logicalExpiry, after(clock(), ttl))
  return { ...entry, refreshAt: earlier(entry.refreshAt, logicalExpiry), logicalExpiry }
}

/** Whether an entry may still be served where a factory has failed. */
export const isKept = (entry: Entry): boolean => !isOver(entry.physicalExpiry)

/** Whether it is what the factory would make, as far as anybody knows. */
export const isFresh = (entry: Entry): boolean => !isOver(entry.logicalExpiry)

/** Of two that are stale the one made later. L2's, where nobody knows: others may have written it. */
export function laterOf(l1: Entry | undefined, l2: Entry | undefined): Entry | undefined {
  if (l1 === undefined || l2 === undefined) return l1 ?? l2
  return madeAt(l1) > madeAt(l2) ? l1 : l2
}

/** One that is being refreshed, which is not to be begun twice. */
export const beingRefreshed = (due: Entry): Entry => ({ ...due, refreshAt: due.logicalExpiry })

/** A stale one for L1, as if it were fresh for `throttle` ms, but for no longer than it is kept. */
export function again(stale: Entry, throttle: number): Entry {
  const logicalExpiry = earlier(clock() + throttle, stale.physicalExpiry)
  return { ...stale, refreshAt: logicalExpiry, logicalExpiry }
}

/** A default value, which is nobody's and soon gone. */
export function standIn(
  value: unknown,
  size: number,
  throttle: number,
  tags: readonly string[],
): Entry {
  const expiry = clock() + throttle
  return {
    value,
    refreshAt: expiry,
    logicalExpiry: expiry,
    physicalExpiry: expiry,
    tags,
    createdAt: undefined,
    size,
  }
}

const madeAt = ({ createdAt, logicalExpiry }: Entry): Time =>
  createdAt ?? logicalExpiry ?? Number.POSITIVE_INFINITY
