/**
 * What went wrong, for programs. Stable: a code is never renamed, and keeps its meaning.
 *
 * | code | meaning | retryable |
 * | --- | --- | --- |
 * | `L2_UNAVAILABLE` | the backend can't be reached, or refused for now | yes |
 * | `L2_TIMEOUT` | it did not answer within the adapter's `timeout` | yes |
 * | `L2_FACTORY_TIMEOUT` | a cache's factory did not answer in time | yes |
 * | `L2_CLOSED` | the adapter, or the cache, was closed | no |
 * | `L2_READ_ONLY` | the backend does not take writes | no |
 * | `L2_FULL` | no room, and nothing that may be evicted | yes |
 * | `L2_UNSUITABLE_BACKEND` | the backend is not what the adapter needs | no |
 * | `L2_SCHEMA_MISMATCH` | the stored layout is of another version | no |
 * | `L2_CORRUPT_STORE` | the backend's own storage is damaged | no |
 * | `L2_CORRUPT_ENVELOPE` | bytes that are not an envelope | no |
 * | `L2_PREFIX_REQUIRED` | `clear()` with an empty prefix | no |
 * | `L2_UNSUPPORTED` | more than the adapter or its backend can do | no |
 */
export type L2ErrorCode =
  | 'L2_UNAVAILABLE'
  | 'L2_TIMEOUT'
  | 'L2_FACTORY_TIMEOUT'
  | 'L2_CLOSED'
  | 'L2_READ_ONLY'
  | 'L2_FULL'
  | 'L2_UNSUITABLE_BACKEND'
  | 'L2_SCHEMA_MISMATCH'
  | 'L2_CORRUPT_STORE'
  | 'L2_CORRUPT_ENVELOPE'
  | 'L2_PREFIX_REQUIRED'
  | 'L2_UNSUPPORTED'

const RETRYABLE: ReadonlySet<L2ErrorCode> = new Set([
  'L2_UNAVAILABLE',
  'L2_TIMEOUT',
  'L2_FACTORY_TIMEOUT',
  'L2_FULL',
])

// A registered symbol, so that an error of another copy of this package is recognised too.
const BRAND = Symbol.for('@l2/core.L2Error')

/** A failure, as opposed to misuse, which is a `TypeError` or `RangeError`. */
export class L2Error extends Error {
  override readonly name = 'L2Error'
  readonly code: L2ErrorCode
  /** Whether the same call may succeed later with nobody changing program or configuration. */
  readonly retryable: boolean

  /**
   * @param message for people: what happened and what to do about it. Never a password, a
   * connection string or a value.
   * @param options.cause the failure behind it; `retryable` defaults to what the code says.
   */
  constructor(
    code: L2ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly retryable?: boolean } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.retryable = options.retryable ?? RETRYABLE.has(code)
  }

  get [BRAND](): true {
    return true
  }
}

/**
 * Tells whether `error` is an {@link L2Error}, also one of another copy of this package, for which
 * `instanceof` is false.
 */
export function isL2Error(error: unknown): error is L2Error {
  return typeof error === 'object' && error !== null && BRAND in error
}
