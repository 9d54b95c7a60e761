import { type Adapter, checkOptions } from '@l2/core'
import { type Duration, toDelay } from './duration.js'
import {
  BUILT_IN,
  ENTRY_FIELDS,
  type EntryOptions,
  type EntrySettings,
  entrySettings,
} from './entry-options.js'
import type { Logger } from './logger.js'
import { checkBoolean, checkKnown, checkObject, checkParts, checkWhole } from './option-checks.js'
import { jsonSerializer, type Serializer } from './serializer.js'

/** What every call to the cache takes. */
export interface CallOptions {
  /** Gives the call up: it rejects at once with `signal.reason`. */
  readonly signal?: AbortSignal | undefined
}

/** What `get` takes. */
export interface GetOptions
  extends CallOptions,
    Pick<EntryOptions, 'l2Timeouts' | 'skipL1Read' | 'skipL1Write' | 'skipL2Read'> {}

/** What `delete` and `expire` take. */
export interface RemoveOptions extends CallOptions, Pick<EntryOptions, 'l2Timeouts'> {}

/** What `set` and `getOrSet` take. */
export interface SetOptions extends EntryOptions, CallOptions {}

/** What `clear` takes. */
export interface ClearOptions extends CallOptions {
  /** Whether L2 is cleared too. Default `true`. */
  readonly l2?: boolean | undefined
}

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
  /** When calls go on without L2, or `false` for never. */
  readonly breaker?: BreakerOptions | false | undefined
  /** Is told of what goes wrong: pino, or what has its methods `error`, `warn` and `info`. Default: none. */
  readonly logger?: Logger | undefined
  /** Whether events, traces and the logger are told keys and tags, which may be personal. Default `false`. */
  readonly includeKeys?: boolean | undefined
}

/** L1's limits. */
export interface L1Options {
  /**
   * Entries at most; beyond it the least recently used one goes. From 1 to 2^24. Room for them is
   * taken at once, some tens of bytes each. Default 1 000.
   */
  readonly maxEntries?: number | undefined
  /**
   * Bytes of serialized values at most, or what entries say of their `size`; beyond it the least
   * recently used ones go, and what is larger by itself is not kept. Without L2, values whose `size` is
   * not said are serialized to be measured. From 1 to 2^53 - 1. Default: no limit.
   */
  readonly maxBytes?: number | undefined
  /**
   * Whether each call gets a copy of its own, made by the serializer, rather than the object that all
   * share. A hit then costs what deserializing costs. Default `false`.
   */
  readonly clone?: boolean | undefined
}

/** When the breaker opens, and how it finds out that L2 is back. */
export interface BreakerOptions {
  /** Failures of L2 in a row, without a success between, that open it: 1 or more. Default 5. */
  readonly threshold?: number | undefined
  /** How often an open one sends L2 a `ping`, one at a time: ms or a string, at least 1. Default `'1s'`. */
  readonly probeInterval?: Duration | undefined
}

/** {@link CacheOptions}, checked and complete. */
export interface CacheSettings {
  readonly l2: Adapter | undefined
  /** `undefined`: no L1. */
  readonly l1: L1Settings | undefined
  readonly serializer: Serializer
  readonly defaults: EntrySettings
  /** `undefined`: no breaker. */
  readonly breaker: BreakerSettings | undefined
  readonly logger: Logger | undefined
  readonly includeKeys: boolean
}

/** {@link L1Options}, checked and complete. */
interface L1Settings {
  readonly maxEntries: number
  /** `undefined`: no limit. */
  readonly maxBytes: number | undefined
  readonly clone: boolean
}

/** {@link BreakerOptions}, checked and complete. */
export interface BreakerSettings {
  readonly threshold: number
  /** Whole ms. */
  readonly probeInterval: number
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
  breaker: true,
  logger: true,
  includeKeys: true,
}
const L1_OPTIONS: Record<keyof L1Options, true> = { maxEntries: true, maxBytes: true, clone: true }
const BREAKER_OPTIONS: Record<keyof BreakerOptions, true> = { threshold: true, probeInterval: true }

/**
 * @throws TypeError, RangeError where an option is not what it should be, or there is none of that
 * name; the error names it.
 */
export function cacheSettings(options: unknown): CacheSettings {
  const given = checkOptions(options)
  // Its methods are not among its own properties, where unknown options are looked for.
  if (ADAPTER_METHODS.every(method => typeof given[method] === 'function'))
    throw new TypeError('options must not be an adapter: new Cache({ l2: adapter })')
  const misplaced = Object.keys(given).some(name => Object.hasOwn(ENTRY_FIELDS, name))
  const hint = misplaced ? '; what is said of entries belongs in defaults or in the call' : ''
  checkKnown('options', given, CACHE_OPTIONS, hint)
  const defaults = checkObject('defaults', given['defaults'])
  checkKnown('defaults', defaults, ENTRY_FIELDS)
  const { includeKeys = false } = given
  return {
    l2: checkParts<Adapter>('l2', 'an Adapter', given['l2'], ADAPTER_METHODS),
    l1: checkL1(given['l1']),
    serializer:
      checkParts<Serializer>('serializer', 'a Serializer', given['serializer'], [
        'serialize',
        'deserialize',
      ]) ?? jsonSerializer,
    defaults: entrySettings(defaults, BUILT_IN, 'defaults.'),
    breaker: checkBreaker(given['breaker']),
    logger: checkParts<Logger>('logger', 'a logger', given['logger'], ['error', 'warn', 'info']),
    includeKeys: checkBoolean('includeKeys', includeKeys),
  }
}

function checkL1(l1: unknown): L1Settings | undefined {
  if (l1 === false) return undefined
  const given = checkObject('l1', l1, 'an object or false')
  checkKnown('l1', given, L1_OPTIONS)
  const { maxEntries = 1_000, maxBytes, clone = false } = given
  return {
    maxEntries: checkWhole('l1.maxEntries', maxEntries, 1, MOST_ENTRIES),
    maxBytes:
      maxBytes === undefined
        ? undefined
        : checkWhole('l1.maxBytes', maxBytes, 1, Number.MAX_SAFE_INTEGER),
    clone: checkBoolean('l1.clone', clone),
  }
}

function checkBreaker(breaker: unknown): BreakerSettings | undefined {
  if (breaker === false) return undefined
  const given = checkObject('breaker', breaker, 'an object or false')
  checkKnown('breaker', given, BREAKER_OPTIONS)
  const { threshold = 5, probeInterval = '1s' } = given
  const interval = toDelay('breaker.probeInterval', probeInterval)
  if (interval === 0) throw new RangeError('breaker.probeInterval must be at least 1 ms')
  return {
    threshold: checkWhole('breaker.threshold', threshold, 1, Number.MAX_SAFE_INTEGER),
    probeInterval: interval,
  }
}
