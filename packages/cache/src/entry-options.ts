import { checkTags } from '@l2/core'
import { type Duration, toDelay, toMs } from './duration.js'
import { checkBoolean, checkKnown, checkObject, checkWhole, kindOf } from './option-checks.js'

/** What can be said about one entry, per call or in `defaults`. A field that is absent or `undefined` is taken from `defaults`. */
export interface EntryOptions {
  /**
   * How long the entry lives, in L1 and in L2: ms or a string such as `'5m'`. Fractions of a ms
   * round up. Default 0: it never expires.
   */
  readonly ttl?: Duration | undefined
  /**
   * How long the entry lives in L2, where that is not `ttl`: ms or a string. Where a call or `defaults` say so,
   * what it takes over from L2 lives in L1 for `ttl` at most, from when it did. Default: as `ttl`.
   */
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
   * Bytes that L1 counts for the entry, where it has `maxBytes`: a whole number from 1 to 2^32 - 1. Default:
   * those of the serialized value.
   */
  readonly size?: number | undefined
  /**
   * Keeps the entry after its `ttl`, for when a factory fails: its calls then get the stale value.
   * `true` or `{}` with what is said in `defaults`, else with the values below; `false` for none.
   * Default `false`.
   */
  readonly failSafe?: FailSafeOptions | boolean | undefined
  /** How long a call waits for a factory, from when that began. Default: as long as it takes. */
  readonly factoryTimeouts?: FactoryTimeouts | undefined
  /** How long a call waits for L2. */
  readonly l2Timeouts?: L2Timeouts | undefined
  /**
   * The part of its `ttl`, over 0 and under 1, after which the next `getOrSet` that meets the entry has
   * it refreshed in the background, once. `false` for never. Default `false`.
   */
  readonly eagerRefresh?: number | false | undefined
  /**
   * How long a call waits for a flight that another call began: ms or a string. Then it takes the
   * stale value, where `failSafe` is on and has one, or else runs its own factory. 0: as long as it
   * takes. Default 0.
   */
  readonly lockTimeout?: Duration | undefined
  /**
   * Whether `set` and `getOrSet` are done when L1 has the value, rather than L2 too. What L2 then makes
   * of it is told by events alone. Default `false`.
   */
  readonly backgroundL2Writes?: boolean | undefined
  /** Does not look into L1. Default `false`. */
  readonly skipL1Read?: boolean | undefined
  /** Does not put the value into L1, which drops what it has under the key. Default `false`. */
  readonly skipL1Write?: boolean | undefined
  /** Does not look into L2. Default `false`. */
  readonly skipL2Read?: boolean | undefined
  /** Does not write to L2, which keeps what it has under the key. Default `false`. */
  readonly skipL2Write?: boolean | undefined
  /** Does not look into L2 where L1 has a stale value: for an L2 that nobody else writes. Default `false`. */
  readonly skipL2ReadWhenStale?: boolean | undefined
}

/** What `failSafe` takes. */
export interface FailSafeOptions {
  /**
   * How long after it was stored an entry may be served at all, in L1 and in L2, where its ttl is not
   * longer: ms or a string. 0: for ever. Default `'1d'`.
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

/** What `factoryTimeouts` takes. The factory goes on, and what it makes is stored, once. */
export interface FactoryTimeouts {
  /** After that a call takes the stale value, if `failSafe` is on and has one. 0: never. Default 0. */
  readonly soft?: Duration | undefined
  /**
   * After that a call takes the stale value, or the default one, or rejects with
   * `L2_FACTORY_TIMEOUT`. 0: never. Default 0.
   */
  readonly hard?: Duration | undefined
}

/** What `l2Timeouts` takes. */
export interface L2Timeouts {
  /**
   * What L2 may cost a `getOrSet` altogether: ms or a string. After that it goes on as on a miss, and
   * its write in the background. 0: as long as the adapter's own timeout allows. Default 500.
   */
  readonly soft?: Duration | undefined
  /**
   * After that `get` and `set` reject with `L2_TIMEOUT`, `delete` and `expire` with `L2_UNAVAILABLE`, and
   * the read of a `getOrSet` is a miss: ms or a string. 0: as long as the adapter's own timeout allows.
   * Default 0.
   */
  readonly hard?: Duration | undefined
}

/** {@link EntryOptions}, checked and complete. Times are whole ms. */
export interface EntrySettings {
  /** 0 = never expires. */
  readonly ttl: number
  /** 0 = never expires; `undefined` = as `ttl`. */
  readonly l2Ttl: number | undefined
  readonly jitter: number
  readonly tags: readonly string[]
  readonly size: number | undefined
  readonly failSafe: FailSafeSettings
  readonly factoryTimeouts: TimeoutSettings
  readonly l2Timeouts: TimeoutSettings
  /** 0 = never. */
  readonly eagerRefresh: number
  /** 0 = none. */
  readonly lockTimeout: number
  readonly backgroundL2Writes: boolean
  readonly skipL1Read: boolean
  readonly skipL1Write: boolean
  readonly skipL2Read: boolean
  readonly skipL2Write: boolean
  readonly skipL2ReadWhenStale: boolean
}

/** {@link FailSafeOptions}, checked and complete. Times are whole ms. */
interface FailSafeSettings {
  readonly on: boolean
  readonly maxDuration: number
  readonly throttle: number
  /** `undefined`: none. */
  readonly defaultValue: unknown
}

/** {@link FactoryTimeouts} and {@link L2Timeouts}: whole ms, 0 = none. */
interface TimeoutSettings {
  readonly soft: number
  readonly hard: number
}

/** What entries get where neither call nor `defaults` say anything. */
export const BUILT_IN: EntrySettings = {
  ttl: 0,
  l2Ttl: undefined,
  jitter: 0,
  tags: [],
  size: undefined,
  // FusionCache's defaults.
  failSafe: { on: false, maxDuration: 86_400_000, throttle: 30_000, defaultValue: undefined },
  factoryTimeouts: { soft: 0, hard: 0 },
  // A hundred times what a healthy server takes, and little to somebody who waits for a page.
  l2Timeouts: { soft: 500, hard: 0 },
  eagerRefresh: 0,
  lockTimeout: 0,
  backgroundL2Writes: false,
  skipL1Read: false,
  skipL1Write: false,
  skipL2Read: false,
  skipL2Write: false,
  skipL2ReadWhenStale: false,
}

/** How each field is read. @param what its name, for the error. */
type Fields = {
  readonly [F in keyof EntrySettings]-?: (
    what: string,
    given: unknown,
    otherwise: EntrySettings[F],
  ) => EntrySettings[F]
}

/** The fields of {@link EntryOptions}. */
export const ENTRY_FIELDS: Fields = {
  ttl: toMs,
  l2Ttl: toMs,
  jitter: toMs,
  tags: (_, given) => checkTags(given),
  size: (what, given) => checkWhole(what, given, 1, 2 ** 32 - 1),
  failSafe: failSafeSettings,
  factoryTimeouts: timeoutSettings,
  l2Timeouts: timeoutSettings,
  eagerRefresh: checkFraction,
  lockTimeout: toDelay,
  backgroundL2Writes: checkBoolean,
  skipL1Read: checkBoolean,
  skipL1Write: checkBoolean,
  skipL2Read: checkBoolean,
  skipL2Write: checkBoolean,
  skipL2ReadWhenStale: checkBoolean,
}

/** The same by name, whatever the name. */
const READERS = new Map(
  Object.entries(ENTRY_FIELDS) as [
    string,
    (what: string, given: unknown, otherwise: unknown) => unknown,
  ][],
)

// Records, so that the compiler misses none.
const FAIL_SAFE_OPTIONS: Record<keyof FailSafeOptions, true> = {
  maxDuration: true,
  throttle: true,
  defaultValue: true,
}
const TIMEOUTS: Record<keyof FactoryTimeouts, true> = { soft: true, hard: true }

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
  let settings: Record<string, unknown> | undefined
  for (const name in given) {
    const value = given[name]
    if (value === undefined) continue
    const read = READERS.get(name)
    if (read === undefined) {
      if (name === 'signal') continue
      throw new TypeError(`there is no option ${within}${name}`)
    }
    settings ??= { ...defaults }
    settings[name] = read(within + name, value, defaults[name as keyof EntrySettings])
  }
  return (settings as EntrySettings | undefined) ?? defaults
}

function failSafeSettings(
  what: string,
  failSafe: unknown,
  defaults: FailSafeSettings,
): FailSafeSettings {
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

function timeoutSettings(
  what: string,
  timeouts: unknown,
  defaults: TimeoutSettings,
): TimeoutSettings {
  const given = checkObject(what, timeouts)
  checkKnown(what, given, TIMEOUTS)
  const { soft, hard } = given
  return {
    soft: soft === undefined ? defaults.soft : toDelay(`${what}.soft`, soft),
    hard: hard === undefined ? defaults.hard : toDelay(`${what}.hard`, hard),
  }
}

function checkFraction(what: string, fraction: unknown): number {
  if (fraction === false) return 0
  if (typeof fraction !== 'number')
    throw new TypeError(`${what} must be a number or false, not ${kindOf(fraction)}`)
  if (!(fraction > 0 && fraction < 1))
    throw new RangeError(`${what} must be over 0 and under 1, not ${fraction}`)
  return fraction
}
