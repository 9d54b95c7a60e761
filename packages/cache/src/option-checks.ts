/** An option that does nothing would pass for one that works. @throws TypeError */
export function checkKnown(
  what: string,
  given: object,
  known: Readonly<Record<string, unknown>>,
  hint = '',
): void {
  const unknown = Object.keys(given).filter(name => !Object.hasOwn(known, name))
  if (unknown.length === 0) return
  throw new TypeError(
    `${what}: there is no ${unknown.join(', ')}, only ${Object.keys(known).join(', ')}${hint}`,
  )
}

/** @throws TypeError where `value` is not an object with these methods. */
export function checkParts<T>(
  what: string,
  kind: string,
  value: unknown,
  parts: readonly string[],
): T | undefined {
  if (value === undefined) return undefined
  const given = checkObject(what, value, kind)
  for (const part of parts) {
    if (typeof given[part] !== 'function')
      throw new TypeError(`${what} must be ${kind}: it has no method ${part}`)
  }
  return value as T
}

/** `{}` for `undefined`. @throws TypeError where `value` is not an object. */
export function checkObject(
  what: string,
  value: unknown,
  kind = 'an object',
): Record<string, unknown> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null)
    throw new TypeError(`${what} must be ${kind}, not ${kindOf(value)}`)
  return value as Record<string, unknown>
}

/** @throws TypeError where `value` is neither `true` nor `false`. */
export function checkBoolean(what: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new TypeError(`${what} must be true or false, not ${kindOf(value)}`)
}

/** @throws TypeError, RangeError where `value` is not a whole number from `least` to `most`. */
export function checkWhole(what: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number')
    throw new TypeError(`${what} must be a number, not ${kindOf(value)}`)
  if (!(Number.isInteger(value) && value >= least && value <= most))
    throw new RangeError(`${what} must be a whole number from ${least} to ${most}, not ${value}`)
  return value
}

/** What a wrong value is, for the error. */
export const kindOf = (value: unknown): string => (value === null ? 'null' : typeof value)
