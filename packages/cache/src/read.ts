import { decodeEnvelope, isL2Error, L2Error, now } from '@l2/core'
import { type Entry, isFresh, isKept, refreshTime } from './entry.js'
import type { EntrySettings } from './entry-options.js'
import type { Ticket } from './fences.js'
import { down, type L2 } from './l2.js'
import { countCorrupt, countHit, countMiss, type Layers } from './layers.js'

/** `get` where L1 has nothing, or is not asked. */
export async function read(
  layers: Layers,
  key: string,
  settings: EntrySettings,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const { l2, fences } = layers
  if (l2 === undefined || settings.skipL2Read) {
    countMiss(layers, key)
    return undefined
  }
  if (l2.isDown) throw down()
  const ticket = fences.begin(key, true)
  try {
    const { hit } = await lookInL2(layers, l2, ticket, {
      settings,
      signal,
      timeout: settings.l2Timeouts.hard,
      degrade: false,
    })
    return hit?.value
  } finally {
    fences.end(ticket)
  }
}

/** How to look into L2. */
export interface Look {
  readonly settings: EntrySettings
  readonly signal: AbortSignal | undefined
  /** ms; 0 = as long as the adapter's own timeout allows. */
  readonly timeout: number
  /** Whether a failure of L2 is a miss, rather than thrown. */
  readonly degrade: boolean
  /** What L1 has and is to be refreshed: only something newer is a hit. */
  readonly due?: Entry | undefined
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
 * @throws `signal.reason`, or what L2 makes of it, where the signal aborted meanwhile.
 */
export async function lookInL2(layers: Layers, l2: L2, ticket: Ticket, look: Look): Promise<Found> {
  const { fences } = layers
  const { key } = ticket
  const { settings, signal, degrade, due } = look
  const l1 = settings.skipL1Read ? undefined : layers.l1
  let found: Entry | undefined
  let failure: { readonly error: unknown } | undefined
  try {
    found = await readL2(layers, l2, key, look)
  } catch (error) {
    if (signal?.aborted) throw error
    failure = { error }
  }
  // Not every adapter heeds its signal. A fill whose callers have all gone has given its ticket
  // back: later invalidations don't mark it, so what it found must not come into L1.
  if (signal?.aborted) throw signal.reason

  // Whatever came into L1 meanwhile is newer than what L2 was asked for.
  const inL1 = l1?.get(key)
  const current = inL1 === due ? undefined : inL1
  if (failure !== undefined) {
    const degraded = degrade || current !== undefined
    l2.failed({ operation: 'get', key }, degraded, failure.error)
    if (!degraded) throw failure.error
  }
  if (current !== undefined) {
    if (due === undefined) countHit(layers, key, 'l1')
    return { hit: current }
  }
  if (found === undefined || fences.outdated(ticket, found.tags)) {
    if (due === undefined) countMiss(layers, key)
    return {}
  }
  if (due !== undefined && !isNewer(found, due)) return {}
  if (!isFresh(found)) {
    countMiss(layers, key)
    return { stale: found }
  }
  // Replaced but no longer in L1: this may be the value before. It was current while the read ran,
  // so it may be returned, not kept.
  if (!ticket.replaced && !settings.skipL1Write) layers.l1?.set(key, found)
  if (due === undefined) countHit(layers, key, 'l2')
  return { hit: found }
}

/** Whether another process has done already what is to be done here. */
const isNewer = (found: Entry, due: Entry): boolean =>
  found.createdAt !== undefined &&
  due.createdAt !== undefined &&
  found.createdAt > due.createdAt &&
  now() < found.refreshAt &&
  isFresh(found)

/** What L2 holds under `key`, fresh or stale. Nothing about its bytes is trusted. */
async function readL2(layers: Layers, l2: L2, key: string, look: Look): Promise<Entry | undefined> {
  const { values } = layers
  const bytes = await l2.get(key, look)
  if (bytes === undefined) return undefined
  try {
    const { payload, logicalExpiry, physicalExpiry, tags, createdAt } = decodeEnvelope(bytes)
    const entry = {
      value: undefined,
      refreshAt: refreshTime(look.settings.eagerRefresh, createdAt, logicalExpiry),
      logicalExpiry,
      physicalExpiry,
      tags,
      createdAt,
      size: payload.byteLength,
    }
    return isKept(entry) ? { ...entry, value: values.keptOf(payload) } : undefined
  } catch (error) {
    countCorrupt(layers, { key, error: isL2Error(error) ? error : unreadable(error) })
    return undefined
  }
}

// Without its cause: a parser's message quotes the text, which is somebody's value.
function unreadable(error: unknown): L2Error {
  const why = error instanceof Error ? error.name : typeof error
  return new L2Error('L2_CORRUPT_ENVELOPE', `The payload does not deserialize (${why}).`)
}
