import { kindOf } from './option-checks.js'

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * A length of time: a number of milliseconds, or a string of a decimal number and a unit: `'500ms'`,
 * `'30s'`, `'5m'`, `'1.5h'`, `'1d'`.
 */
export type Duration = number | `${number}${keyof typeof UNITS}`

const FORM = /^(-?\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/**
 * A duration in whole milliseconds; fractions round up.
 *
 * @param what the option's name, for the error.
 * @throws TypeError where `duration` is neither a number nor a string of that form.
 * @throws RangeError where it is negative, not finite or over 2^53 - 1 ms.
 */
export function toMs(what: string, duration: unknown): number {
  if (typeof duration === 'string') {
    const known = KNOWN.get(duration)
    if (known !== undefined) return known
  }
  const ms = typeof duration === 'number' ? duration : parse(what, duration)
  // Also false for NaN.
  if (!(ms >= 0 && ms <= Number.MAX_SAFE_INTEGER))
    throw new RangeError(`${what} must be from 0 to 2^53 - 1 ms, not ${duration}`)
  const whole = Math.ceil(ms)
  if (typeof duration === 'string' && KNOWN.size < MOST_KNOWN) KNOWN.set(duration, whole)
  return whole
}

/** Strings seen before: a program has few, and reading one takes as long as all else of a `set`. */
const KNOWN = new Map<string, number>()
const MOST_KNOWN = 1_000

function parse(what: string, duration: unknown): number {
  const problem =
    typeof duration !== 'string'
      ? `not ${kindOf(duration)}`
      : // A longer string is no duration with a slip in it: it may be anything, a secret included.
        duration.length <= 20
        ? `not ${JSON.stringify(duration)}`
        : `not a string of ${duration.length} characters`
  const [, number, unit] = (typeof duration === 'string' && FORM.exec(duration)) || []
  if (number === undefined)
    throw new TypeError(
      `${what} must be a number of ms or a string such as '500ms', '30s', '5m', '2h' or '1d', ${problem}`,
    )
  const ms = Number(number) * UNITS[unit as keyof typeof UNITS]
  // 1.1 * 3 600 000 is 3 960 000.0000000005: without this it would round up to one more.
  return number.includes('.') ? Number(ms.toPrecision(15)) : ms
}

/** What `setTimeout` takes: more would fire at once. About 24.8 days. */
const LONGEST_DELAY = 2 ** 31 - 1

/** As {@link toMs}, of a time to be waited for. @throws RangeError also where it is over 24 days. */
export function toDelay(what: string, duration: unknown): number {
  const ms = toMs(what, duration)
  if (ms > LONGEST_DELAY)
    throw new RangeError(`${what} must be at most 2^31 - 1 ms, not ${duration}`)
  return ms
}
