import { nameProblem } from './arguments.js'
import { decodeBase64 } from './base64.js'

/** What an envelope begins with that we write. */
export const HEAD = '{"v":"'

const HEAD_BYTES = Buffer.from(HEAD)
const QUOTE = 0x22
const LONGEST_REST = 4_096
const ASCII = /^[\0-\x7f]*$/

// Times as JSON writes integers, at most as long as the largest safe one.
const REST =
  /^","le":(0|-?[1-9]\d{0,15}),"pe":(0|-?[1-9]\d{0,15})(?:,"t":(\[.*\]))?(?:,"c":(0|-?[1-9]\d{0,15}))?\}$/

/** The fields of an envelope, as its schema gives them. */
export interface Wire {
  readonly v: Uint8Array
  readonly le: number
  readonly pe: number
  readonly t: string[]
  readonly c?: number | undefined
}

/**
 * Reads an envelope in the form that `encodeEnvelope` gives it, in half the time and a third of the
 * memory that a JSON parser and a schema take.
 *
 * @returns `undefined` for anything else: what it is, and whether it is an envelope, the parser tells.
 */
export function readOwn(bytes: Uint8Array): Wire | undefined {
  // In JavaScript, as a call of Buffer's takes longer than these few bytes.
  for (let i = 0; i < HEAD_BYTES.length; i++) if (bytes[i] !== HEAD_BYTES[i]) return undefined
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const end = buffer.indexOf(QUOTE, HEAD.length)
  if (end < 0 || buffer.length - end > LONGEST_REST) return undefined
  const [whole, le, pe, tags, c] = REST.exec(buffer.toString('latin1', end)) ?? []
  // Latin-1 is UTF-8 as long as it is ASCII, and nothing but tags may be more than that.
  if (whole === undefined || (tags !== undefined && !ASCII.test(tags))) return undefined
  const v = decodeBase64(buffer.toString('latin1', HEAD.length, end))
  const t = tags === undefined ? [] : tagsIn(tags)
  const times = { le: Number(le), pe: Number(pe), c: c === undefined ? undefined : Number(c) }
  if (v === undefined || t === undefined || !isSafe(times.le) || !isSafe(times.pe)) return undefined
  if (times.c === undefined) return { v, le: times.le, pe: times.pe, t }
  return isSafe(times.c) ? { v, le: times.le, pe: times.pe, t, c: times.c } : undefined
}

const isSafe = Number.isSafeInteger

function tagsIn(json: string): string[] | undefined {
  try {
    const tags: unknown = JSON.parse(json)
    return Array.isArray(tags) && tags.every(tag => nameProblem(tag) === undefined)
      ? tags
      : undefined
  } catch {
    // More than an array: another field after it, for one.
    return undefined
  }
}
