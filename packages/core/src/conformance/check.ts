import type { Adapter } from '../adapter.js'
import { isL2Error, type L2ErrorCode } from '../errors.js'

/** A rule of the contract that did not hold. Test runners show `expected` and `actual`. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError'
  readonly done: string
  readonly expected: string
  readonly actual: string

  constructor(done: string, expected: string, actual: string, options?: ErrorOptions) {
    super(`${done}\n  expected: ${expected}\n  seen:     ${actual}`, options)
    this.done = done
    this.expected = expected
    this.actual = actual
  }
}

/** @throws ConformanceError unless `get(key)` is exactly `value`. `done` tells what led here. */
export async function expectHit(
  adapter: Adapter,
  key: string,
  value: Uint8Array,
  done: string,
): Promise<void> {
  const seen = await adapter.get(key)
  if (!sameBytes(seen, value))
    throw new ConformanceError(done, `get gives ${show(value)}`, show(seen))
}

/** @throws ConformanceError unless `get(key)` is a miss. */
export async function expectMiss(adapter: Adapter, key: string, done: string): Promise<void> {
  const seen = await adapter.get(key)
  if (seen !== undefined) throw new ConformanceError(done, 'get gives undefined', show(seen))
}

/** Calls under way at once where a case makes many: enough to fill a connection, not a queue. */
const AT_ONCE = 500

/** As {@link expectHit} for many keys, read at once: a case is not to last as long as its round trips. */
export async function expectHits(
  adapter: Adapter,
  keys: readonly string[],
  expectedOf: (key: string) => Uint8Array,
  done: string,
): Promise<void> {
  for (let from = 0; from < keys.length; from += AT_ONCE) {
    const some = keys.slice(from, from + AT_ONCE)
    await Promise.all(some.map(key => expectHit(adapter, key, expectedOf(key), done)))
  }
}

/** As {@link expectMiss} for many keys, read at once. */
export async function expectMisses(
  adapter: Adapter,
  keys: readonly string[],
  done: string,
): Promise<void> {
  for (let from = 0; from < keys.length; from += AT_ONCE) {
    const some = keys.slice(from, from + AT_ONCE)
    await Promise.all(some.map(key => expectMiss(adapter, key, done)))
  }
}

/**
 * A call that is awaited later. Until then its rejection is nobody's, and Node would end the
 * process for it.
 */
export function held<T>(call: Promise<T>): Promise<T> {
  call.catch(() => {})
  return call
}

/** What a rejection has to be: an error class by name, an `L2Error` by code, or a very value. */
export type Rejection =
  | { readonly error: 'TypeError' | 'RangeError' }
  | { readonly code: L2ErrorCode }
  | { readonly reason: unknown }

/** @throws ConformanceError unless `call` returns a promise that rejects as `rejection` says. */
export async function expectRejection(
  call: () => Promise<unknown>,
  rejection: Rejection,
  done: string,
): Promise<void> {
  const expected = `a rejection with ${describeRejection(rejection)}`
  let promise: Promise<unknown>
  try {
    promise = call()
  } catch (error) {
    throw new ConformanceError(done, expected, `a synchronous throw of ${show(error)}`)
  }
  const outcome = await promise.then(
    value => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('value' in outcome)
    throw new ConformanceError(done, expected, `it resolved: ${show(outcome.value)}`)
  if (!isAs(outcome.error, rejection))
    throw new ConformanceError(done, expected, show(outcome.error))
}

/** @throws ConformanceError where `holds` is false. */
export function expectTrue(holds: boolean, done: string, expected: string, actual: string): void {
  if (!holds) throw new ConformanceError(done, expected, actual)
}

export function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.length === b.length && Buffer.compare(a, b) === 0
}

/** A value for people: short bytes as text or hex, long ones by their length. */
export function show(value: unknown): string {
  if (value instanceof Uint8Array) {
    const start = Buffer.from(value.subarray(0, 24))
    const text = start.toString('latin1')
    const shown = /^[ -~]*$/.test(text) ? JSON.stringify(text) : `0x${start.toString('hex')}`
    return `${value.length} ${value.length === 1 ? 'byte' : 'bytes'} ${shown}${value.length > 24 ? '…' : ''}`
  }
  if (isL2Error(value)) return `L2Error ${value.code}: ${value.message}`
  if (value instanceof Error) return `${value.name}: ${value.message}`
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value)
}

function isAs(error: unknown, rejection: Rejection): boolean {
  if ('reason' in rejection) return Object.is(error, rejection.reason)
  if ('code' in rejection) return isL2Error(error) && error.code === rejection.code
  // By name: an adapter may run in another realm.
  return (error as Error | undefined)?.name === rejection.error
}

function describeRejection(rejection: Rejection): string {
  if ('reason' in rejection) return `the signal's reason, ${show(rejection.reason)}`
  return 'code' in rejection ? rejection.code : `a ${rejection.error}`
}
