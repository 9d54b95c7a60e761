import { encodeEnvelope } from '@l2/core'
import { clock, type Time, toUnix } from './clock.js'
import { addedTo, type Entry, entryOf } from './entry.js'
import type { EntrySettings } from './entry-options.js'
import { limitsOf, NO_LIMITS } from './l2.js'
import type { Layers } from './layers.js'

/** What is to be stored. */
export interface Prepared {
  readonly l1: Entry
  /** The same but for its ttl. */
  readonly l2: Entry
  /** L2's bytes, where they are to be written. */
  readonly bytes: Uint8Array | undefined
}

/**
 * Makes an entry of a value.
 *
 * @param createdAt `undefined` = now.
 * @throws what the serializer throws; TypeError, RangeError where L2 would get too much.
 */
export function prepare(
  layers: Layers,
  value: unknown,
  settings: EntrySettings,
  createdAt: Time | undefined,
): Prepared {
  const { l2, values } = layers
  // Before the serializer, which may take long.
  const time = clock()
  const kept = values.kept(value)
  const writes = l2 !== undefined && !settings.skipL2Write
  const payload = writes ? values.payload(kept) : undefined
  const size = settings.skipL1Write ? 0 : values.size(kept, settings, payload)
  const { ttl, l2Ttl = ttl } = settings
  const added = addedTo(settings)
  const made = createdAt ?? time
  const entry = entryOf(kept, size, settings, ttl, added, made, time)
  const shared = l2Ttl === ttl ? entry : entryOf(kept, size, settings, l2Ttl, added, made, time)
  return { l1: entry, l2: shared, bytes: payload && encode(shared, payload) }
}

/** Puts what was made into L1, or takes away what it replaces. */
export function keepInL1({ l1 }: Layers, key: string, entry: Entry, skip: boolean): void {
  if (skip) l1?.delete(key)
  else l1?.set(key, entry)
}

/** `set`. Done when it returns `undefined`. */
export function write(
  layers: Layers,
  key: string,
  value: unknown,
  settings: EntrySettings,
  signal: AbortSignal | undefined,
): Promise<void> | undefined {
  const { l2, fences, activity } = layers
  // Before anything is kept: a value that can't be written is stored nowhere.
  const { l1: entry, l2: shared, bytes } = prepare(layers, value, settings, undefined)
  fences.replace(key)
  keepInL1(layers, key, entry, settings.skipL1Write)
  if (l2 === undefined || bytes === undefined) return undefined
  if (!settings.backgroundL2Writes)
    return l2.set(key, shared, bytes, limitsOf(settings, signal), false)
  void activity.during(l2.set(key, shared, bytes, NO_LIMITS, true))
  return undefined
}

function encode(entry: Entry, payload: Uint8Array): Uint8Array {
  return encodeEnvelope({
    payload,
    logicalExpiry: toUnix(entry.logicalExpiry),
    physicalExpiry: toUnix(entry.physicalExpiry),
    tags: entry.tags,
    createdAt: toUnix(entry.createdAt),
  })
}
