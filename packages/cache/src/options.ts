import { type Adapter, checkOptions, checkTags } from '@l2/core'
import { type Duration, toMs } from './duration.js'
import { jsonSerializer, type Serializer } from './serializer.js'

/** What can be said about one entry, per call or in `defaults`. A field that is absent or `undefined` is taken from `defaults`. */
export interface EntryOptions {
  /**
   * How long the entry lives, in L1 and in L2: ms or a string such as `'5m'`. Fractions of a ms
   * round up. Default 0: it never expires.
   */
  readonly ttl?: Duration | undefined
  /** How long the entry lives in L2, where that is not `ttl`: ms or a string. Default: as `ttl`. */
  readonly l2Ttl?: Duration | undefined
  /**
   * Up to so much is added to the entry's `ttl`, `l2Ttl` and `failSafe.maxDuration`, the same to each, so
   * that entries made together do not all expire together: ms or a string. What never expires is left
   * alone. Default 0.
   */
  readonly jitter?: Duration | undefined
  /** What `deleteByTag` finds the entry by. A set: duplicates and order don't matter. Default: none. */
  readonly tags?: readonly string[] | undefined
  /**
   * Keeps the entry after its `ttl`, for when a factory fails: its calls then get the stale value.
   * `true` or `{}` with what is said in `defaults`, else with the values below; `false` for none.
   * Default `false`.
   */
  readonly failSafe?: FailSafeOptions | boolean | undefined
}

/** What `failSafe` takes. */
export interface FailSafeOptions {
  /**
   * How long after it was stored an entry may be served at all, in L1 and in L2, where its ttl is not
   * longer: ms or a string. Default `'1d'`.
   */
  readonly maxDuration?: Duration | undefined
  /**
   * How long a stale value is served from L1 before the factory is tried again: ms or a string.
   * Default `'30s'`.
   */
  readonly throttle?: Duration | undefined
  /** What calls get where there is no stale value either. Default: none, they get the factory's error. */
  readonly defaultValue?: unknown
}

/** What every call to the cache takes. */
export interface CallOptions {
  /** Gives the call up: it rejects at once with `signal.reason`. */
  readonly signal?: AbortSignal | undefined
}

/** What `set` and `getOrSet` take. */
export interface SetOptions extends EntryOptions, CallOptions {}

/** What `new Cache()` takes. */
export interface CacheOptions {
  /**
   * The adapter behind L1. It stays the caller's: `close()` does not close it. Two caches over one
   * adapter share their entries. Default: none, the cache is this process's alone.
   */
  readonly l2?: Adapter | undefined
  /** L1's limits, or `false` for none: every call then asks L2. */
  readonly l1?: L1Options | false | undefined
  /** Turns values into the bytes that L2 keeps. Default: JSON. L1 keeps the values themselves. */
  readonly serializer?: Serializer | undefined
  /** What entries get where a call says nothing. */
  readonly defaults?: EntryOptions | undefined
}

/** L1's limits. */
export interface L1Options {
  /**
   * Entries at most; beyond it the least recently used one goes. From 1 to 2^24. Room for them is
   * taken at once, some tens of bytes each. Default 1 000.
   */
  readonly maxEntries?: number | undefined
}

/** {@link EntryOptions}, checked and complete. */
export interface EntrySettings {
  /** Whole ms; 0 = never expires. */
  readonly ttl: number
  /** Whole ms; 0 = never expires; `undefined` = as `ttl`. */
  readonly l2Ttl: number | undefined
  /** Whole ms. */
  readonly jitter: number
  readonly tags: readonly string[]
  readonly failSafe: FailSafeSettings
}

/** {@link FailSafeOptions}, checked and complete. Times are whole ms. */
interface FailSafeSettings {
  readonly on: boolean
  readonly maxDuration: number
  readonly throttle: number
  /** `undefined`: none. */
  readonly defaultValue: unknown
}

/** {@link CacheOptions}, checked and complete. */
export interface CacheSettings {
  readonly l2: Adapter | undefined
  /** `undefined`: no L1. */
  readonly maxEntries: number | undefined
  readonly serializer: Serializer
  readonly defaults: EntrySettings
}

const BUILT_IN: EntrySettings = {
  ttl: 0,
  l2Ttl: undefined,
  jitter: 0,
  tags: [],
  // FusionCache's defaults.
  failSafe: { on: false, maxDuration: 86_400_000, throttle: 30_000, defaultValue: undefined },
}

/** More than a V8 `Map` holds is more than lru-cache can index. */
const MOST_ENTRIES = 2 ** 24

const ADAPTER_METHODS = ['get', 'set', 'delete', 'deleteByTag', 'clear', 'ping']

// Records, so that the compiler misses none.
const CACHE_OPTIONS: Record<keyof CacheOptions, true> = {
  l2: true,
  l1: true,
  serializer: true,
  defaults: true,
}
const L1_OPTIONS: Record<keyof L1Options, true> = { maxEntries: true }
const ENTRY_OPTIONS: Record<keyof EntryOptions, true> = {
  ttl: true,
  l2Ttl: true,
  jitter: true,
  tags: true,
  failSafe: true,
}
const FAIL_SAFE_OPTIONS: Record<keyof FailSafeOptions, true> = {
  maxDuration: true,
  throttle: true,
  defaultValue: true,
}

/**
 * @throws TypeError, RangeError where an option is not what it should be, or there is none of that
 * name; the error names it.
 */
export function cacheSettings(options: unknown): CacheSettings {
  const given = checkOptions(options)
  // Its methods are not among its own properties, where unknown options are looked for.
  if (ADAPTER_METHODS.every(method => typeof given[method] === 'function'))
    throw new TypeError('options must not be an adapter: new Cache({ l2: adapter })')
  checkKnown('options', given, CACHE_OPTIONS)
  const defaults = checkObject('defaults', given['defaults'])
  checkKnown('defaults', defaults, ENTRY_OPTIONS)
  return {
    l2: checkParts<Adapter>('l2', 'an Adapter', given['l2'], ADAPTER_METHODS),
    maxEntries: checkL1(given['l1']),
    serializer:
      checkParts<Serializer>('serializer', 'a Serializer', given['serializer'], [
        'serialize',
        'deserialize',
      ]) ?? jsonSerializer,
    defaults: entrySettings(defaults, BUILT_IN, 'defaults.'),
  }
}

/**
 * What one entry gets: what the call says, else the defaults, field by field.
 *
 * @param within what stands before a field's name in an error.
 * @throws TypeError, RangeError where a field is not what it should be.
 */
export function entrySettings(
  given: Readonly<Record<string, unknown>>,
  defaults: EntrySettings,
  within = '',
): EntrySettings {
  const { ttl, l2Ttl, jitter, tags, failSafe } = given
  return {
    ttl: ttl === undefined ? defaults.ttl : toMs(`${within}ttl`, ttl),
    l2Ttl: l2Ttl === undefined ? defaults.l2Ttl : toMs(`${within}l2Ttl`, l2Ttl),
    jitter: jitter === undefined ? defaults.jitter : toMs(`${within}jitter`, jitter),
    tags: tags === undefined ? defaults.tags : checkTags(tags),
    failSafe: failSafeSettings(failSafe, defaults.failSafe, `${within}failSafe`),
  }
}

function failSafeSettings(
  failSafe: unknown,
  defaults: FailSafeSettings,
  what: string,
): FailSafeSettings {
  if (failSafe === undefined) return defaults
  if (typeof failSafe === 'boolean') return { ...defaults, on: failSafe }
  const given = checkObject(what, failSafe, 'an object, true or false')
  checkKnown(what, given, FAIL_SAFE_OPTIONS)
  const { maxDuration, throttle, defaultValue } = given
  return {
    on: true,
    maxDuration:
      maxDuration === undefined ? defaults.maxDuration : toMs(`${what}.maxDuration`, maxDuration),
    throttle: throttle === undefined ? defaults.throttle : toMs(`${what}.throttle`, throttle),
    defaultValue: defaultValue === undefined ? defaults.defaultValue : defaultValue,
  }
}

function checkL1(l1: unknown): number | undefined {
  if (l1 === false) return undefined
  const given = checkObject('l1', l1, 'an object or false')
  checkKnown('l1', given, L1_OPTIONS)
  const { maxEntries = 1_000 } = given
  if (typeof maxEntries !== 'number') throw new TypeError('l1.maxEntries must be a number')
  if (!(Number.isInteger(maxEntries) && maxEntries >= 1 && maxEntries <= MOST_ENTRIES))
    throw new RangeError(`l1.maxEntries must be a whole number from 1 to 2^24, not ${maxEntries}`)
  return maxEntries
}

/** An option that does nothing would pass for one that works. @throws TypeError */
function checkKnown(what: string, given: object, known: Readonly<Record<string, true>>): void {
  const unknown = Object.keys(given).filter(name => !Object.hasOwn(known, name))
  if (unknown.length === 0) return
  const misplaced =
    known === CACHE_OPTIONS && unknown.some(name => Object.hasOwn(ENTRY_OPTIONS, name))
  throw new TypeError(
    `${what}: there is no ${unknown.join(', ')}, only ${Object.keys(known).join(', ')}` +
      (misplaced ? '; what is said of entries belongs in defaults or in the call' : ''),
  )
}

function checkParts<T>(what: string, kind: string, value: unknown, parts: string[]): T | undefined {
  if (value === undefined) return undefined
  const given = checkObject(what, value, kind)
  for (const part of parts) {
    if (typeof given[part] !== 'function')
      throw new TypeError(`${what} must be ${kind}: it has no method ${part}`)
  }
  return value as T
}

function checkObject(what: string, value: unknown, kind = 'an object'): Record<string, unknown> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null)
    throw new TypeError(`${what} must be ${kind}, not ${value === null ? 'null' : typeof value}`)
  return value as Record<string, unknown>
}
