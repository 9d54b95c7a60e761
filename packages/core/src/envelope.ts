import { types } from 'node:util'
import * as z from 'zod'
import { checkName, nameProblem } from './arguments.js'
import { decodeBase64 } from './base64.js'
import { MAX_HEADER_BYTES, parseEnvelopeJson } from './envelope-json.js'
import { HEAD, readOwn } from './envelope-own.js'
import { L2Error } from './errors.js'

/** The largest payload of an envelope: what the contract asks of adapters, 64 MiB. */
export const MAX_PAYLOAD_BYTES = 64 * 2 ** 20

/** The largest envelope: that payload in base64, and the rest. */
const MAX_ENVELOPE_BYTES = Math.ceil(MAX_PAYLOAD_BYTES / 3) * 4 + MAX_HEADER_BYTES

/** A cached value with what a cache needs to know of it. Times are Unix ms. */
export interface Envelope {
  /** The serialized value. At most 64 MiB. */
  readonly payload: Uint8Array
  /** Stale from then on: may be served while a new value can't be had. */
  readonly logicalExpiry: number
  /** Gone from then on. Never: `Number.MAX_SAFE_INTEGER`. */
  readonly physicalExpiry: number
  readonly tags: readonly string[]
  /** When the value was made. Absent in envelopes that other writers made. */
  readonly createdAt?: number | undefined
}

const payloadSchema = z.string().transform((text, context) => {
  const payload = decodeBase64(text)
  if (payload === undefined) {
    context.issues.push({
      code: 'custom',
      message: 'not standard base64 with padding',
      input: text,
    })
    return z.NEVER
  }
  return payload
})

// One look and one issue: an array schema would collect a million of them from 2 MiB of nonsense.
const tagsSchema = z.unknown().transform((tags, context): string[] => {
  if (Array.isArray(tags) && tags.every(tag => nameProblem(tag) === undefined)) return tags
  context.issues.push({ code: 'custom', message: 'not an array of tags', input: tags })
  return z.NEVER
})

/**
 * The wire format: the JSON object of an envelope, read. `v` becomes bytes, and an absent or null
 * `t` no tags. Fields it does not name are left out.
 *
 * The format is that of the Go package this contract comes from (coefficient-engineering/cache,
 * package l2); `c` is ours.
 */
export const envelopeSchema = z.compile(
  z.object({
    /** Payload in standard base64; null reads as empty. */
    v: payloadSchema.nullable().transform(payload => payload ?? new Uint8Array()),
    /** Logical expiry, Unix ms. */
    le: z.int(),
    /** Physical expiry, Unix ms. */
    pe: z.int(),
    /** Tags. */
    t: tagsSchema.nullish().transform(tags => tags ?? []),
    /** Creation, Unix ms. */
    c: z.int().optional(),
  }),
)

/**
 * Writes an envelope: JSON in UTF-8, which the Go library reads too. Small ones share their `buffer` with
 * others, as Node's own Buffers do: what is to be kept for long is better copied.
 *
 * @throws TypeError where a field is not what it should be.
 * @throws RangeError where the logical expiry is after the physical one, a time is not a safe
 * integer, the payload is over 64 MiB or everything else over 1 MiB.
 */
export function encodeEnvelope(envelope: Envelope): Uint8Array<ArrayBuffer> {
  const { payload, logicalExpiry, physicalExpiry, tags, createdAt } = envelope
  if (!types.isUint8Array(payload)) throw new TypeError('payload must be a Uint8Array')
  if (payload.length > MAX_PAYLOAD_BYTES)
    throw new RangeError(
      `payload must be at most ${MAX_PAYLOAD_BYTES} bytes, not ${payload.length}`,
    )
  checkTime('logicalExpiry', logicalExpiry)
  checkTime('physicalExpiry', physicalExpiry)
  if (logicalExpiry > physicalExpiry)
    throw new RangeError('logicalExpiry must not be after physicalExpiry')
  if (createdAt !== undefined) checkTime('createdAt', createdAt)
  if (!Array.isArray(tags)) throw new TypeError('tags must be an array')

  const rest =
    `","le":${logicalExpiry},"pe":${physicalExpiry}` +
    (tags.length === 0 ? '' : `,"t":${JSON.stringify(Array.from(tags, checkedTag))}`) +
    (createdAt === undefined ? '}' : `,"c":${createdAt}}`)
  const restBytes = Buffer.byteLength(rest)
  if (restBytes > MAX_HEADER_BYTES - HEAD.length)
    throw new RangeError(`all but the payload must be at most ${MAX_HEADER_BYTES} bytes of JSON`)

  // Base64 needs no escapes, so the large part skips JSON.stringify.
  const base64 = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('base64')
  // Out of Node's pool, every byte of it written here: memory of its own took a third of the whole.
  const bytes = Buffer.allocUnsafe(HEAD.length + base64.length + restBytes)
  bytes.write(HEAD, 'latin1')
  bytes.write(base64, HEAD.length, 'latin1')
  bytes.write(rest, HEAD.length + base64.length)
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

/**
 * Reads an envelope of any writer. Nothing about `bytes` is trusted.
 *
 * @returns the envelope, its logical expiry never after its physical one.
 * @throws L2Error `L2_CORRUPT_ENVELOPE`, and nothing else, where the bytes are not an envelope.
 * Limits: those of {@link encodeEnvelope}.
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (!types.isUint8Array(bytes)) throw new TypeError('bytes must be a Uint8Array')
  const { v, le, pe, t, c } = readWire(bytes)
  const logicalExpiry = Math.min(le, pe)
  // Two literals: spreading the one into the other would cost a quarter of the whole.
  return c === undefined
    ? { payload: v, logicalExpiry, physicalExpiry: pe, tags: t }
    : { payload: v, logicalExpiry, physicalExpiry: pe, tags: t, createdAt: c }
}

function readWire(bytes: Uint8Array): z.output<typeof envelopeSchema> {
  if (bytes.length > MAX_ENVELOPE_BYTES) throw corrupt(`over ${MAX_ENVELOPE_BYTES} bytes`)
  let wire: z.output<typeof envelopeSchema> | undefined
  let field: PropertyKey | undefined
  try {
    wire = readOwn(bytes)
    if (wire === undefined) {
      const result = envelopeSchema.safeParse(parseEnvelopeJson(bytes))
      wire = result.data
      field = result.error?.issues[0]?.path[0]
    }
  } catch {
    // Without its cause: a parser's message quotes the text, which is somebody's value. And the
    // program may have given zod messages of its own, which may do anything.
    throw corrupt('not JSON in UTF-8, or over 1 MiB beside its payload')
  }
  if (wire === undefined) throw corrupt(`wrong in ${String(field ?? 'the whole')}`)
  if (wire.v.length > MAX_PAYLOAD_BYTES) throw corrupt(`a payload over ${MAX_PAYLOAD_BYTES} bytes`)
  if (bytes.length - Math.ceil(wire.v.length / 3) * 4 > MAX_HEADER_BYTES)
    throw corrupt('over 1 MiB beside its payload')
  return wire
}

function corrupt(why: string): L2Error {
  return new L2Error('L2_CORRUPT_ENVELOPE', `These bytes are not an envelope (${why}).`)
}

function checkTime(what: string, time: unknown): void {
  if (typeof time !== 'number') throw new TypeError(`${what} must be a number of Unix ms`)
  if (!Number.isSafeInteger(time))
    throw new RangeError(`${what} must be a safe integer, not ${time}`)
}

function checkedTag(tag: unknown): string {
  checkName('tag', tag)
  return tag
}
