import { again, type Entry, isFresh, isKept, laterOf, standIn } from './entry.js'
import type { EntrySettings } from './entry-options.js'
import type { Ticket } from './fences.js'
import { countFailSafe, type Layers } from './layers.js'

/** A fill whose factory may fail or take too long. */
export interface Wanting {
  readonly ticket: Ticket
  /** Whether its call takes what L1 has. */
  readonly readsL1: boolean
  /** What it has found stale in L2. */
  readonly staleInL2: Entry | undefined
  /** Whether nothing of its making may be kept any more. */
  readonly isOutdated: boolean
}

/** What may be served though it is stale: nothing that an invalidation has reached. */
export function staleOf({ l1, fences }: Layers, fill: Wanting): Entry | undefined {
  const { ticket, readsL1, staleInL2 } = fill
  const inL1 = readsL1 ? l1?.peek(ticket.key) : undefined
  const stale = ticket.replaced ? inL1 : laterOf(inL1, staleInL2)
  if (stale === undefined || !isKept(stale) || fences.spoiled(ticket, stale.tags)) return undefined
  return stale
}

/**
 * The stale value for a call with these settings. It comes back into L1, not into L2: other processes
 * may have something better.
 *
 * @param why the call can't have what it asked for.
 */
export function takeStale(
  layers: Layers,
  fill: Wanting,
  { failSafe, skipL1Write }: EntrySettings,
  why: () => unknown,
): { readonly value: unknown } | undefined {
  if (!failSafe.on) return undefined
  const { key } = fill.ticket
  const current = layers.l1?.peek(key)
  // It has come into L1 meanwhile, or was there and is to be refreshed.
  if (current !== undefined && isFresh(current)) return current
  const stale = staleOf(layers, fill)
  if (stale === undefined) return undefined
  if (!skipL1Write) layers.l1?.set(key, again(stale, failSafe.throttle))
  countFailSafe(layers, { key, error: why() })
  return stale
}

/** The stale value, or else the default one. @throws `error` where there is neither. */
export function instead(
  layers: Layers,
  fill: Wanting,
  settings: EntrySettings,
  error: unknown,
): unknown {
  const { failSafe, tags, skipL1Write } = settings
  const { key } = fill.ticket
  const stale = takeStale(layers, fill, settings, () => error)
  if (stale !== undefined) return stale.value
  if (!failSafe.on || failSafe.defaultValue === undefined) throw error
  const value = layers.values.kept(failSafe.defaultValue)
  const inL1 = layers.l1?.peek(key)
  // Where L1 was not to be asked it may have something better.
  const hasBetter = inL1 !== undefined && isKept(inL1)
  if (!hasBetter && !skipL1Write && !fill.isOutdated) {
    const size = layers.values.size(value, settings, undefined)
    layers.l1?.set(key, standIn(value, size, failSafe.throttle, tags))
  }
  countFailSafe(layers, { key, error })
  return value
}
