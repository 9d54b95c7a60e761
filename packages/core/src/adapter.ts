/**
 * The contract: what every l2 backend does alike. README.md of this package has the rules in full,
 * and `@l2/core/conformance` tests each of them.
 */
export interface Adapter {
  /** What this adapter can do. Absent: everything of the first version of the contract. */
  readonly capabilities?: Capabilities

  /**
   * Reads the bytes stored under `key`.
   *
   * @returns the exact bytes, a copy of the caller's own; `undefined` on a miss: never set, deleted
   * or expired. Zero bytes are a hit.
   * @throws TypeError where `key` is not a name (see {@link Adapter.set}).
   * @throws L2Error where the backend failed: a failure never looks like a miss.
   * Cost: one round trip.
   */
  get(key: string, options?: CallOptions): Promise<Uint8Array | undefined>

  /**
   * Stores `value` under `key` and replaces value, ttl and tags of an earlier `set` together.
   *
   * @param key any well-formed Unicode string up to 64 KiB in UTF-8, the empty one included;
   * compared by code point.
   * @param value copied before this returns. At least 16 MiB work, 64 MiB should.
   * @throws TypeError where key, value, tags or signal are not what they should be.
   * @throws RangeError where `ttl` is negative, not finite or over 2^53 - 1; nothing is stored.
   * @throws L2Error where the backend failed; the write is then indeterminate.
   * Cost: one round trip. Atomic: value and tags change together or not at all.
   */
  set(key: string, value: Uint8Array, options?: SetOptions): Promise<void>

  /**
   * Removes the entry under `key`, if there is one.
   *
   * Cost: one round trip. Throws as {@link Adapter.get} does.
   */
  delete(key: string, options?: CallOptions): Promise<void>

  /**
   * Removes exactly the entries whose latest `set` carried `tag`. Entries set while it runs may
   * survive, whole; entries set later do.
   *
   * Cost: slices, each a round trip, so that a million entries block neither the backend nor the
   * event loop. Not atomic: a call that fails or is aborted has removed some; repeat it to finish.
   * Does nothing where `capabilities.tags` is `false`.
   */
  deleteByTag(tag: string, options?: CallOptions): Promise<void>

  /**
   * Removes every entry under the adapter's prefix and nothing else.
   *
   * @throws L2Error `L2_PREFIX_REQUIRED` where the prefix is empty.
   * Cost and atomicity: as {@link Adapter.deleteByTag}.
   */
  clear(options?: CallOptions): Promise<void>

  /**
   * Proves that the backend is reachable and takes writes.
   *
   * Cost: one round trip. Throws as {@link Adapter.get} does.
   */
  ping(options?: CallOptions): Promise<void>
}

/** A manifest of what an adapter can do. A flag added later means "no" where it is absent. */
export interface Capabilities {
  /** Whether `deleteByTag` works. Default `true`. */
  readonly tags?: boolean
}

/** What every operation takes. */
export interface CallOptions {
  /**
   * Gives the call up: it rejects at once with `signal.reason`. A write that was given up is
   * indeterminate. Other calls are not affected.
   */
  readonly signal?: AbortSignal | undefined
}

/** What `set` takes. */
export interface SetOptions extends CallOptions {
  /**
   * Time to live in milliseconds, rounded up to a whole one. Default 0: never expires. At most
   * 2^53 - 1.
   */
  readonly ttl?: number | undefined
  /** The tags that `deleteByTag` finds the entry by. A set: duplicates and order don't matter. */
  readonly tags?: readonly string[] | undefined
}
