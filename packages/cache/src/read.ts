import { decodeEnvelope, isL2Error, L2Error } from '@l2/core'
import { endOf, isOver, timeOf } from './clock.js'
import { type Entry, isFresh, promoted, refreshTime } from './entry.js'
import type { EntrySettings } from './entry-options.js'
import type { Ticket } from './fences.js'
import { down, type L2 } from './l2.js'
import { countCorrupt, countHit, countMiss, type Layers } from './layers.js'

/** `get` where L1 has nothing, or is not asked. */
export async function read(
  layers: Layers,
  l2: L2,
  key: string,
  settings: EntrySettings,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const { fences } = layers
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
export function lookInL2(layers: Layers, l2: L2, ticket: Ticket, look: Look): Promise<Found> {
  return l2.get(ticket.key, look).then(
    bytes => {
      // Not every adapter heeds its signal. A fill whose callers have all gone has given its ticket
      // back: later invalidations don't mark it, so what it found must not come into L1.
      if (look.signal?.aborted) throw look.signal.reason
      return found(layers, ticket, look, bytes && entryIn(layers, ticket.key, look, bytes))
    },
    (error: unknown) => {
      if (look.signal?.aborted) throw error
      return instead(layers, l2, ticket, look, error)
    },
  )
}

/** @param entry what L2 has. */
function found(layers: Layers, ticket: Ticket, look: Look, entry: Entry | undefined): Found {
  const { key } = ticket
  const { settings, due } = look
  const current = currentIn(layers, key, look)
  if (current !== undefined) {
    if (due === undefined) countHit(layers, key, 'l1')
    return { hit: current }
  }
  if (entry === undefined || layers.fences.spoiled(ticket, entry.tags)) {
    if (due === undefined) countMiss(layers, key)
    return NOTHING
  }
  if (due !== undefined && (ticket.expired || !isNewer(entry, due))) return NOTHING
  if (ticket.expired || !isFresh(entry)) {
    countMiss(layers, key)
    return { stale: entry }
  }
  // Replaced but no longer in L1: this may be the value before. It was current while the read ran,
  // so it may be returned, not kept.
  if (!ticket.replaced && !settings.skipL1Write) layers.l1?.set(key, promoted(entry, settings))
  if (due === undefined) countHit(layers, key, 'l2')
  return { hit: entry }
}

/** Where L2 failed. */
function instead(layers: Layers, l2: L2, ticket: Ticket, look: Look, error: unknown): Found {
  const { key } = ticket
  const current = currentIn(layers, key, look)
  const degraded = look.degrade || current !== undefined
  l2.failed({ operation: 'get', key }, degraded, error)
  if (!degraded) throw error
  if (look.due === undefined) {
    if (current === undefined) countMiss(layers, key)
    else countHit(layers, key, 'l1')
  }
  return current === undefined ? NOTHING : { hit: current }
}

const NOTHING: Found = {}

/** What has come into L1 meanwhile: it is newer than what L2 was asked for. */
function currentIn({ l1 }: Layers, key: string, { settings, due }: Look): Entry | undefined {
  const current = settings.skipL1Read ? undefined : l1?.get(key)
  return current === due ? undefined : current
}

/** Whether another process has done already what is to be done here. */
const isNewer = (found: Entry, due: Entry): boolean =>
  found.createdAt !== undefined &&
  due.createdAt !== undefined &&
  found.createdAt > due.createdAt &&
  !isOver(found.refreshAt)

/** The entry in bytes that L2 holds, fresh or stale. Nothing about them is trusted. */
function entryIn(layers: Layers, key: string, look: Look, bytes: Uint8Array): Entry | undefined {
  const { values } = layers
  try {
    const envelope = decodeEnvelope(bytes)
    const { payload, tags } = envelope
    const logicalExpiry = endOf(envelope.logicalExpiry)
    const physicalExpiry = endOf(envelope.physicalExpiry)
    if (isOver(physicalExpiry)) return undefined
    const createdAt = envelope.createdAt === undefined ? undefined : timeOf(envelope.createdAt)
    return {
      value: values.keptOf(payload),
      refreshAt: refreshTime(look.settings.eagerRefresh, createdAt, logicalExpiry),
      logicalExpiry,
      physicalExpiry,
      tags,
      createdAt,
      size: look.settings.size ?? payload.byteLength,
    }
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
