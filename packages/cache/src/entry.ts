import { expiryOf, NEVER, now } from '@l2/core'
import type { Entry } from './l1.js'
import type { EntrySettings } from './options.js'

/** One value as each layer is to keep it: they differ in how long. */
export interface Made {
  readonly l1: Entry
  readonly l2: Entry
}

/** What begins to live now. @param createdAt Unix ms: no later than its value was made. */
export function entryOf(value: unknown, settings: EntrySettings, createdAt: number): Made {
  const { ttl, l2Ttl = ttl, jitter, tags } = settings
  // The same for all times, so that their order stays.
  const added = jitter === 0 ? 0 : Math.round(Math.random() * jitter)
  const living = (ms: number): Entry => {
    const logicalExpiry = endOf(ms, added)
    return {
      value,
      logicalExpiry,
      physicalExpiry: Math.max(logicalExpiry, keptUntil(settings, added)),
      tags,
      createdAt,
    }
  }
  const l1 = living(ttl)
  return { l1, l2: l2Ttl === ttl ? l1 : living(l2Ttl) }
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

/** A stale one for L1, as if it were fresh for `throttle` ms, but for no longer than it is kept. */
export function again(stale: Entry, throttle: number): Entry {
  return { ...stale, logicalExpiry: Math.min(now() + throttle, stale.physicalExpiry) }
}

/** A default value, which is nobody's and soon gone. */
export function standIn(value: unknown, throttle: number, tags: readonly string[]): Entry {
  const expiry = now() + throttle
  return { value, logicalExpiry: expiry, physicalExpiry: expiry, tags, createdAt: undefined }
}

const madeAt = ({ createdAt, logicalExpiry }: Entry): number => createdAt ?? logicalExpiry

const keptUntil = ({ failSafe }: EntrySettings, added: number): number =>
  failSafe.on ? endOf(failSafe.maxDuration, added) : 0

const endOf = (ms: number, added: number): number =>
  ms === 0 ? NEVER : expiryOf(Math.min(ms + added, NEVER))
