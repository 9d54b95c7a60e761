import { type Adapter, decodeEnvelope, isL2Error, L2Error } from '@l2/core'
import { isFresh, isKept } from './entry.js'
import type { Ticket } from './fences.js'
import type { Entry } from './l1.js'
import { countCorrupt, countHit, countL2Error, countMiss, type Layers } from './layers.js'

/** `get` where L1 has nothing. */
export async function read(
  layers: Layers,
  key: string,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const { l2, fences } = layers
  if (l2 === undefined) {
    countMiss(layers, key)
    return undefined
  }
  const ticket = fences.begin(key, true)
  try {
    const { hit } = await lookInL2(layers, l2, ticket, signal, false)
    return hit?.value
  } finally {
    fences.end(ticket)
  }
}

/** What a look into L2 brought. */
export interface Found {
  readonly hit?: Entry
  /** Of a miss: what may be served where the factory fails. */
  readonly stale?: Entry
}

/**
 * Reads from L2 and promotes what is found fresh into L1, with L2's own times and tags.
 *
 * @param ticket taken before this read.
 * @param degrade whether a failure of L2 is a miss, rather than thrown.
 * @throws `signal.reason`, or what L2 makes of it, where the signal aborted meanwhile.
 */
export async function lookInL2(
  layers: Layers,
  l2: Adapter,
  ticket: Ticket,
  signal: AbortSignal | undefined,
  degrade: boolean,
): Promise<Found> {
  const { l1, fences } = layers
  const { key } = ticket
  let found: Entry | undefined
  let failure: { readonly error: unknown } | undefined
  try {
    found = await readL2(layers, l2, key, signal)
  } catch (error) {
    if (signal?.aborted) throw error
    failure = { error }
  }
  // Not every adapter heeds its signal. A fill whose callers have all gone has given its ticket
  // back: later invalidations don't mark it, so what it found must not come into L1.
  if (signal?.aborted) throw signal.reason

  // Whatever came into L1 meanwhile is newer than what L2 was asked for.
  const current = l1?.get(key)
  if (failure !== undefined) {
    const degraded = degrade || current !== undefined
    countL2Error(layers, { operation: 'get', key, degraded, error: failure.error })
    if (!degraded) throw failure.error
  }
  if (current !== undefined) {
    countHit(layers, key, 'l1')
    return { hit: current }
  }
  if (found === undefined || fences.outdated(ticket, found.tags)) {
    countMiss(layers, key)
    return {}
  }
  if (!isFresh(found)) {
    countMiss(layers, key)
    return { stale: found }
  }
  // Replaced but no longer in L1: this may be the value before. It was current while the read ran,
  // so it may be returned, not kept.
  if (!ticket.replaced) l1?.set(key, found)
  countHit(layers, key, 'l2')
  return { hit: found }
}

/** What L2 holds under `key`, fresh or stale. Nothing about its bytes is trusted. */
async function readL2(
  layers: Layers,
  l2: Adapter,
  key: string,
  signal: AbortSignal | undefined,
): Promise<Entry | undefined> {
  const bytes = await l2.get(key, signal && { signal })
  if (bytes === undefined) return undefined
  try {
    const { payload, logicalExpiry, physicalExpiry, tags, createdAt } = decodeEnvelope(bytes)
    const entry = { value: undefined, logicalExpiry, physicalExpiry, tags, createdAt }
    return isKept(entry) ? { ...entry, value: deserialized(layers, payload) } : undefined
  } catch (error) {
    countCorrupt(layers, { key, error: isL2Error(error) ? error : unreadable(error) })
    return undefined
  }
}

function deserialized(layers: Layers, payload: Uint8Array): unknown {
  const value = layers.serializer.deserialize(payload)
  if (value === undefined) throw new TypeError('it is undefined')
  return value
}

// Without its cause: a parser's message quotes the text, which is somebody's value.
function unreadable(error: unknown): L2Error {
  const why = error instanceof Error ? error.name : typeof error
  return new L2Error('L2_CORRUPT_ENVELOPE', `The payload does not deserialize (${why}).`)
}
