import { checkName, checkOptions } from './arguments.js'

/** The longest delay of a Node timer: 2^31 - 1 ms (Node.js documentation, "Timers"). */
export const MAX_TIMEOUT = 2_147_483_647

/** What every adapter takes. */
export interface AdapterOptions {
  /**
   * What everything of this adapter lives under, bookkeeping included. Two prefixes share nothing,
   * whatever characters they hold. Default `'l2:'`. With an empty one `clear()` is refused.
   */
  readonly prefix?: string | undefined
  /**
   * How long one round trip, or one slice of a bulk call, may take, in ms; then it rejects with
   * `L2_TIMEOUT`. Default 5 000. 0 = no limit: then a backend that never answers keeps `close()`
   * waiting too.
   */
  readonly timeout?: number | undefined
  /**
   * How often expired entries are removed in the background, in ms, give or take a quarter.
   * Default 60 000. 0 = never; `sweep()` still does it by hand. Has no meaning on a backend that
   * expires entries by itself.
   */
  readonly sweepInterval?: number | undefined
}

/** {@link AdapterOptions}, checked and complete. */
export interface ResolvedAdapterOptions {
  readonly prefix: string
  readonly timeout: number
  readonly sweepInterval: number
}

/** @throws TypeError, RangeError where an option is not what it should be. */
export function resolveAdapterOptions(options: unknown): ResolvedAdapterOptions {
  const { prefix = 'l2:', timeout, sweepInterval } = checkOptions(options)
  checkName('prefix', prefix)
  return {
    prefix,
    timeout: checkMs('timeout', timeout, 5_000),
    sweepInterval: checkMs('sweepInterval', sweepInterval, 60_000),
  }
}

function checkMs(what: string, value: unknown, otherwise: number): number {
  if (value === undefined) return otherwise
  if (typeof value !== 'number') throw new TypeError(`${what} must be a number of ms`)
  if (!(value >= 0 && value <= MAX_TIMEOUT))
    throw new RangeError(`${what} must be from 0 to ${MAX_TIMEOUT} ms, not ${value}`)
  return Math.ceil(value)
}
