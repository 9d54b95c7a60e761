import { type Adapter, encodeEnvelope, NEVER, now } from '@l2/core'
import { entryOf } from './entry.js'
import type { CacheEvents } from './events.js'
import type { Entry } from './l1.js'
import { countL2Error, type Layers } from './layers.js'
import type { EntrySettings } from './options.js'

/** `set`. Done when it returns where there is no L2. */
export function write(
  layers: Layers,
  key: string,
  value: unknown,
  settings: EntrySettings,
  signal: AbortSignal | undefined,
): Promise<void> | undefined {
  const { l2, fences } = layers
  const made = entryOf(value, settings, now())
  // Before anything is kept: a value that can't be written is stored nowhere.
  const bytes = l2 && encode(layers, made.l2)
  fences.replace(key)
  layers.l1?.set(key, made.l1)
  if (l2 === undefined || bytes === undefined) return undefined
  return reported(layers, { operation: 'set', key, degraded: false }, signal, () =>
    writeL2(l2, key, made.l2, bytes, signal),
  )
}

/** `delete`, and `expire`, which leaves what L1 has to those who take stale values. */
export async function remove(
  layers: Layers,
  key: string,
  operation: 'delete' | 'expire',
  signal: AbortSignal | undefined,
): Promise<void> {
  const { l1, l2, fences } = layers
  const pending = fences.deleteKey(key)
  l1?.[operation](key)
  try {
    await reported(layers, { operation, key, degraded: false }, signal, () =>
      l2?.delete(key, signal && { signal }),
    )
  } finally {
    fences.settleKey(key, pending)
  }
}

/** `deleteByTag`. */
export async function removeByTag(
  layers: Layers,
  tag: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { l1, l2, fences } = layers
  const pending = fences.deleteTag(tag)
  l1?.deleteByTag(tag)
  try {
    await reported(layers, { operation: 'deleteByTag', tag, degraded: false }, signal, () =>
      l2?.deleteByTag(tag, signal && { signal }),
    )
  } finally {
    fences.settleTag(tag, pending)
  }
}

/** `clear`. */
export async function removeAll(layers: Layers, signal: AbortSignal | undefined): Promise<void> {
  const { l1, l2, fences } = layers
  fences.deleteAll()
  l1?.clear()
  try {
    await reported(layers, { operation: 'clear', degraded: false }, signal, () =>
      l2?.clear(signal && { signal }),
    )
  } finally {
    fences.settleAll()
  }
}

/** Counts and tells a failure of L2, other than the caller's own abort, and passes it on. */
export async function reported(
  layers: Layers,
  event: Omit<CacheEvents['l2Error'], 'error'>,
  signal: AbortSignal | undefined,
  work: () => Promise<void> | undefined,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!signal?.aborted) countL2Error(layers, { ...event, error })
    throw error
  }
}

/** The bytes that L2 keeps of `entry`. @throws what the serializer throws; TypeError, RangeError. */
export function encode(layers: Layers, entry: Entry): Uint8Array {
  const { value, ...rest } = entry
  return encodeEnvelope({ ...rest, payload: layers.serializer.serialize(value) })
}

export function writeL2(
  l2: Adapter,
  key: string,
  entry: Entry,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { physicalExpiry, tags } = entry
  const left = physicalExpiry - now()
  // Serializing took its whole life. A ttl of 0 would keep it for ever.
  if (left <= 0) return l2.delete(key, signal && { signal })
  const ttl = physicalExpiry === NEVER ? 0 : left
  return l2.set(key, bytes, signal === undefined ? { ttl, tags } : { ttl, tags, signal })
}
