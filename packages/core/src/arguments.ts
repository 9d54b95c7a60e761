import { types } from 'node:util'

/** The longest key, tag or prefix, in bytes of UTF-8: the contract's own limit. */
const MAX_NAME_BYTES = 65_536

// No UTF-16 unit takes more than 3 bytes of UTF-8, so shorter names need not be measured.
const SURELY_SHORT = Math.floor(MAX_NAME_BYTES / 3)

/** Why `value` can't be a key, tag or prefix; `undefined` where it can. */
export function nameProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return `must be a string, not ${kindOf(value)}`
  // Two lone surrogates become the same U+FFFD in UTF-8: one entry would answer for the other.
  if (!value.isWellFormed()) return 'must be well-formed Unicode: it holds a lone surrogate'
  if (value.length > SURELY_SHORT && Buffer.byteLength(value) > MAX_NAME_BYTES)
    return `must be at most ${MAX_NAME_BYTES} bytes in UTF-8`
  return undefined
}

/** @throws TypeError where `value` can't be a key, tag or prefix. */
export function checkName(what: string, value: unknown): asserts value is string {
  const problem = nameProblem(value)
  if (problem !== undefined) throw new TypeError(`${what} ${problem}`)
}

/** The caller's bytes in memory of our own. @throws TypeError where they are no `Uint8Array`. */
export function copyOfValue(value: unknown): Uint8Array {
  // Not instanceof: a Buffer made in another realm (a vm context, jest) is one too.
  if (!types.isUint8Array(value))
    throw new TypeError(`value must be a Uint8Array, not ${kindOf(value)}`)
  return new Uint8Array(value)
}

/** A whole `ttl` in ms, 0 for never. @throws TypeError, RangeError */
export function checkTtl(ttl: unknown): number {
  if (ttl === undefined) return 0
  if (typeof ttl !== 'number') throw new TypeError(`ttl must be a number of ms, not ${kindOf(ttl)}`)
  // Also false for NaN.
  if (!(ttl >= 0 && ttl <= Number.MAX_SAFE_INTEGER))
    throw new RangeError(`ttl must be from 0 (never expires) to 2^53 - 1 ms, not ${ttl}`)
  return Math.ceil(ttl)
}

const NO_TAGS: readonly string[] = []
const NO_OPTIONS: Readonly<Record<string, unknown>> = Object.freeze({})

/** The tags once each, in an array of our own. @throws TypeError */
export function checkTags(tags: unknown): readonly string[] {
  if (tags === undefined) return NO_TAGS
  if (!Array.isArray(tags)) throw new TypeError(`tags must be an array, not ${kindOf(tags)}`)
  if (tags.length === 0) return NO_TAGS
  const unique = new Set<string>()
  for (const tag of tags) {
    checkName('tag', tag)
    unique.add(tag)
  }
  return [...unique]
}

/** The options as an object. @throws TypeError */
export function checkOptions(options: unknown): Readonly<Record<string, unknown>> {
  if (options === undefined) return NO_OPTIONS
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`options must be an object, not ${kindOf(options)}`)
  return options as Record<string, unknown>
}

/** The `signal` among the options. @throws TypeError where it is no `AbortSignal`. */
export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || isAbortSignal(signal)) return signal
  throw new TypeError(`signal must be an AbortSignal, not ${kindOf(signal)}`)
}

// By shape: a signal of another realm or of a polyfill is as good.
function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as AbortSignal).aborted === 'boolean' &&
    typeof (value as AbortSignal).addEventListener === 'function' &&
    typeof (value as AbortSignal).removeEventListener === 'function'
  )
}

// Never the value itself: it may be a secret.
function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value !== 'object') return typeof value
  return Array.isArray(value) ? 'an array' : 'an object'
}
