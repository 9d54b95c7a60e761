import { NEVER, now } from '@l2/core'
import type { EntrySettings } from './entry-options.js'

/** A value as L1 keeps it. Times are Unix ms. */
export interface Entry {
  /** The caller's own object, or, with `clone`, its serialized bytes: see `kept`. */
  readonly value: unknown
  /** To be refreshed from then on; no later than `logicalExpiry`. */
  readonly refreshAt: number
  /** The same in ticks, rounded down: see {@link tickOf}. Kept by L1. */
  refreshTick: number
  /** Stale from then on. */
  readonly logicalExpiry: number
  /** Gone from then on. */
  readonly physicalExpiry: number
  readonly tags: readonly string[]
  /** When the value was made; L2 entries of other writers may lack it. */
  readonly createdAt: number | undefined
  /** Bytes, where L1 counts them. */
  readonly size: number
}

/** ms of a tick: 2^31 of them are four years. */
const TICK = 64
const START = now()

/**
 * A Unix time in ticks since this process began. Those of an entry fit into a pointer's place, where
 * Unix ms take another object: to look at one costs a hit as much as to look the entry up.
 */
export const tickOf = (time: number): number => (time - START) / TICK

/** The last whole tick before, as small integers go. */
export const wholeTickOf = (time: number): number => Math.min(Math.floor(tickOf(time)), 2 ** 31 - 1)

/** One value as each layer is to keep it: they differ in how long. */
export interface Made {
  readonly l1: Entry
  readonly l2: Entry
}

/**
 * An entry.
 *
 * @param createdAt Unix ms: no later than its value was made.
 * @param time when its life begins.
 */
export function entryOf(
  value: unknown,
  size: number,
  settings: EntrySettings,
  createdAt: number,
  time: number,
): Made {
  const { ttl, l2Ttl, jitter, failSafe } = settings
  // The same for all times, so that their order stays.
  const added = jitter === 0 ? 0 : Math.round(Math.random() * jitter)
  const keptUntil = failSafe.on ? endOf(failSafe.maxDuration, added, time) : 0
  const l1End = endOf(ttl, added, time)
  const l1 = living(value, size, settings, createdAt, time, l1End, keptUntil)
  if (l2Ttl === undefined || l2Ttl === ttl) return { l1, l2: l1 }
  const l2End = endOf(l2Ttl, added, time)
  return { l1, l2: living(value, size, settings, createdAt, time, l2End, keptUntil) }
}

function living(
  value: unknown,
  size: number,
  { tags, eagerRefresh }: EntrySettings,
  createdAt: number,
  time: number,
  logicalExpiry: number,
  keptUntil: number,
): Entry {
  return {
    value,
    refreshAt: refreshTime(eagerRefresh, time, logicalExpiry),
    refreshTick: 0,
    logicalExpiry,
    physicalExpiry: Math.max(logicalExpiry, keptUntil),
    tags,
    createdAt,
    size,
  }
}

/** When an entry that began to live at `since` is to be refreshed. @param eagerRefresh 0 = never. */
export function refreshTime(
  eagerRefresh: number,
  since: number | undefined,
  logicalExpiry: number,
): number {
  if (eagerRefresh === 0 || since === undefined || logicalExpiry === NEVER) return logicalExpiry
  return Math.min(since + (logicalExpiry - since) * eagerRefresh, logicalExpiry)
}

/** What L1 gets of an entry that L2 has: where it has a life of its own there, `ttl` is L1's. */
export function promoted(entry: Entry, { ttl, l2Ttl }: EntrySettings): Entry {
  if (l2Ttl === undefined || ttl === 0) return entry
  const logicalExpiry = Math.min(entry.logicalExpiry, now() + ttl)
  return { ...entry, refreshAt: Math.min(entry.refreshAt, logicalExpiry), logicalExpiry }
}

/** Whether an entry may still be served where a factory has failed. */
export const isKept = (entry: Entry): boolean => now() < entry.physicalExpiry

/** Whether it is what the factory would make, as far as anybody knows. */
export const isFresh = (entry: Entry): boolean =>
  now() < entry.logicalExpiry && now() < entry.physicalExpiry

/** Of two that are stale the one made later. L2's, where nobody knows: others may have written it. */
export function laterOf(l1: Entry | undefined, l2: Entry | undefined): Entry | undefined {
  if (l1 === undefined || l2 === undefined) return l1 ?? l2
  return madeAt(l1) > madeAt(l2) ? l1 : l2
}

/** One that is being refreshed, which is not to be begun twice. */
export const beingRefreshed = (due: Entry): Entry => ({ ...due, refreshAt: due.logicalExpiry })

/** A stale one for L1, as if it were fresh for `throttle` ms, but for no longer than it is kept. */
export function again(stale: Entry, throttle: number): Entry {
  const logicalExpiry = Math.min(now() + throttle, stale.physicalExpiry)
  return { ...stale, refreshAt: logicalExpiry, logicalExpiry }
}

/** A default value, which is nobody's and soon gone. */
export function standIn(
  value: unknown,
  size: number,
  throttle: number,
  tags: readonly string[],
): Entry {
  const expiry = now() + throttle
  return {
    value,
    refreshAt: expiry,
    refreshTick: 0,
    logicalExpiry: expiry,
    physicalExpiry: expiry,
    tags,
    createdAt: undefined,
    size,
  }
}

const madeAt = ({ createdAt, logicalExpiry }: Entry): number => createdAt ?? logicalExpiry

const endOf = (ms: number, added: number, time: number): number =>
  ms === 0 ? NEVER : Math.min(time + ms + added, NEVER)
