import type { Capabilities } from './adapter.js'
import type { L2ErrorCode } from './errors.js'

/**
 * The few raw operations that a backend supplies; {@link GuardedAdapter} makes an `Adapter` of them.
 *
 * Names and options have been checked, `ttl` is whole (0 = never), tags are unique, and `value`
 * belongs to the backend: it is a copy. What `get` returns is copied before the caller sees it,
 * unless `readsAreFresh`.
 *
 * Each operation may answer at once or with a promise. It is called in the same turn as the
 * caller's own call, so a backend that starts its work at once, or queues it in order, keeps the
 * contract's order. A promise that does not settle within the adapter's `timeout` is given up: the
 * caller was told, and `call.abandoned` is true from then on.
 */
export interface Backend {
  readonly capabilities?: Capabilities
  /**
   * Whether nobody else holds, or will hold, the bytes that `get` gives: the caller gets them without
   * another copy. Default false. Not for a driver that cuts answers out of what it received at once.
   */
  readonly readsAreFresh?: boolean
  get(key: string, call: Call): Awaitable<Uint8Array | undefined>
  set(
    key: string,
    value: Uint8Array,
    ttl: number,
    tags: readonly string[],
    call: Call,
  ): Awaitable<void>
  delete(key: string, call: Call): Awaitable<void>
  deleteByTag(tag: string, call: Call): Slices
  clear(call: Call): Slices
  ping(call: Call): Awaitable<void>
  /** Removes what has expired, and bookkeeping that nothing needs any more. Absent: never needed. */
  sweep?(call: Call): Slices
  /** Frees what the adapter itself opened. Called once, after the last call has settled. */
  close(): Awaitable<void>
  /** Tells what an error of the driver means. `undefined`: `L2_UNAVAILABLE`. */
  describe?(error: unknown): Failure | undefined
}

/** What a driver's error means to the user of an adapter. */
export interface Failure {
  readonly code: L2ErrorCode
  /** What happened and what to do about it, without passwords, connection strings or values. */
  readonly message: string
  /** Default: what the code says. */
  readonly retryable?: boolean
}

/** A value now or later. */
export type Awaitable<T> = T | PromiseLike<T>

/**
 * Bulk work in pieces: each `next()` does one, small enough to block nobody, and yields how many
 * entries it removed. The guard gives every piece a deadline of its own, lets the event loop turn
 * between two, and stops where the caller gave up.
 */
export type Slices = Iterable<number> | AsyncIterable<number>

/** One call of one caller, as its backend sees it. */
export interface Call {
  /**
   * Whether the caller was told that this call failed, by its deadline or its signal. A backend
   * does not send it any more, and never sends it again.
   */
  readonly abandoned: boolean
  /** Whether nobody awaits it, as a sweep in the background: it must not hold the process. */
  readonly background: boolean
  /**
   * Runs `listener` once when the call is abandoned, at once where it is already: the place to cut
   * the connection that a write was sent on. A round trip over several connections has a listener for
   * each; the same one counts once. They are forgotten when the round trip, or the slice, settles.
   */
  onAbandon(listener: () => void): void
}
