import { checkName, checkOptions, checkSignal, L2Error } from '@l2/core'
import {
  type CacheEvents,
  type CacheListener,
  type CacheStats,
  Counters,
  Events,
} from './events.js'
import { Fences } from './fences.js'
import { type Factory, Fills } from './fill.js'
import { L1 } from './l1.js'
import { Activity, countHit, type Layers } from './layers.js'
import {
  type CacheOptions,
  type CallOptions,
  cacheSettings,
  type EntrySettings,
  entrySettings,
  type SetOptions,
} from './options.js'
import { read } from './read.js'
import { remove, removeAll, removeByTag, write } from './write.js'

/**
 * A cache of two layers: this process's memory (L1) in front of an adapter that other processes
 * share (L2). Both are optional.
 *
 * L1 keeps values by reference: what you put in is what every later call in this process gets, the
 * same object. Treat values as read-only. A value that came from L2 is what the serializer makes of
 * it, and from then on is shared in the same way.
 *
 * Calls reject, they never throw: with a `TypeError` or `RangeError` for arguments, then with
 * `L2_CLOSED` after `close()`, then with `signal.reason` where the signal has aborted already. A
 * call that L1 answers looks at neither the factory's options nor their values.
 *
 * @example
 * // In JavaScript on Node.js 20, which does not know `await using`, call close().
 * await using cache = new Cache({ l2: new SqliteAdapter({ path: 'cache.db' }) })
 * const user = await cache.getOrSet('user:1', () => loadUser(1), { ttl: '5m', tags: ['users'] })
 * await cache.deleteByTag('users')
 */
export class Cache {
  readonly #l1: L1 | undefined
  readonly #layers: Layers
  readonly #fills: Fills
  readonly #defaults: EntrySettings
  #closed: Promise<void> | undefined

  /**
   * @throws TypeError, RangeError where an option is not what it should be, or there is none of that
   * name; the error names it.
   */
  constructor(options: CacheOptions = {}) {
    const { l2, maxEntries, serializer, defaults } = cacheSettings(options)
    this.#l1 = maxEntries === undefined ? undefined : new L1(maxEntries)
    this.#defaults = defaults
    this.#layers = {
      l1: this.#l1,
      l2,
      serializer,
      fences: new Fences(),
      events: new Events(),
      counters: new Counters(),
      activity: new Activity(),
    }
    this.#fills = new Fills(this.#layers)
  }

  /**
   * Reads the value under `key`.
   *
   * @param key any well-formed Unicode string up to 64 KiB in UTF-8, the empty one included.
   * @returns `undefined` on a miss; `null`, `0`, `''` and `false` are values. The type is what you
   * say it is: nothing checks it.
   * @throws L2Error where L1 has no value and L2 failed: a failure does not look like a miss.
   * Cost: nothing but memory where L1 has it, else one round trip.
   */
  async get<T = unknown>(key: string, options?: CallOptions): Promise<T | undefined> {
    if (options?.signal === undefined) {
      const entry = this.#peek(key)
      if (entry !== undefined) return entry.value as T
    }
    checkName('key', key)
    const signal = this.#admit(checkOptions(options))
    if (signal !== undefined) {
      const entry = this.#peek(key)
      if (entry !== undefined) return entry.value as T
    }
    return (await this.#during(read(this.#layers, key, signal))) as T | undefined
  }

  /**
   * Reads the value under `key`, or makes it with `factory` and stores it.
   *
   * Calls for one key share one flight, L2 read and factory, with the options of the first, tags
   * included. A call that is aborted rejects at once and does not fail the others. A factory that
   * fails fails all of them, and nothing is stored. A factory must not wait for its own key, directly
   * or through the factory of another: it would wait for ever, and `close()` with it.
   *
   * L2's failures do not fail the call: the factory answers, L1 keeps the value, and an `l2Error`
   * event tells. Where the factory fails and `failSafe` is on, a stale value takes its place for
   * `throttle`, in this process alone, and a `failSafe` event tells. What was deleted or set after the factory began is not overwritten: the callers
   * that waited get the value, and it is stored nowhere.
   *
   * @param factory its result is stored unless it is `undefined`, which is returned only. Called at
   * most once for each key at a time; again while an outdated one still runs.
   * @throws what the factory throws, but for `failSafe`; what the serializer throws where the value can't be written;
   * RangeError where L2 would get over 64 MiB of it, or over 1 MiB of tags; L2Error `L2_UNSUPPORTED`
   * for tags on an adapter that has none.
   * Cost: nothing but memory where L1 has it, one round trip where L2 has it, else two and the
   * factory.
   */
  async getOrSet<T>(key: string, factory: Factory<T>, options?: SetOptions): Promise<T> {
    if (options?.signal === undefined) {
      const entry = this.#peek(key)
      if (entry !== undefined) return entry.value as T
    }
    checkName('key', key)
    if (typeof factory !== 'function')
      throw new TypeError(`factory must be a function, not ${typeof factory}`)
    const given = checkOptions(options)
    const settings = entrySettings(given, this.#defaults)
    const signal = this.#admit(given)
    this.#allowTags(settings.tags)
    if (signal !== undefined) {
      const entry = this.#peek(key)
      if (entry !== undefined) return entry.value as T
    }
    return (await this.#fills.getOrSet(key, factory, settings, signal)) as T
  }

  /**
   * Stores `value` under `key` and replaces value, ttl and tags of an earlier one.
   *
   * @param value anything but `undefined`. L1 keeps it as it is, L2 what the serializer makes of it.
   * @throws TypeError where `value` is `undefined`; what the serializer throws; RangeError where L2
   * would get over 64 MiB of it, or over 1 MiB of tags; L2Error `L2_UNSUPPORTED` for tags on an
   * adapter that has none. Nothing is stored then.
   * @throws L2Error where L2 failed: L1 has the new value, L2 perhaps. The same after an abort.
   * Cost: one round trip.
   */
  async set(key: string, value: unknown, options?: SetOptions): Promise<void> {
    checkName('key', key)
    if (value === undefined)
      throw new TypeError('value must not be undefined: delete() removes a key')
    const given = checkOptions(options)
    const settings = entrySettings(given, this.#defaults)
    const signal = this.#admit(given)
    this.#allowTags(settings.tags)
    const pending = write(this.#layers, key, value, settings, signal)
    if (pending !== undefined) await this.#during(pending)
  }

  /**
   * Removes the value under `key`, if there is one.
   *
   * @throws L2Error where L2 failed: the value is gone from L1, from L2 perhaps. Repeat it.
   * Cost: one round trip.
   */
  async delete(key: string, options?: CallOptions): Promise<void> {
    checkName('key', key)
    const signal = this.#admit(checkOptions(options))
    return this.#during(remove(this.#layers, key, 'delete', signal))
  }

  /**
   * Makes the value under `key` stale: the next `getOrSet` runs its factory. Unlike {@link delete} it
   * leaves L1's copy, for as long as the entry would have been kept, to calls with `failSafe` whose
   * factory fails. From L2 it is removed.
   *
   * @throws L2Error where L2 failed: the value is stale in L1, in L2 perhaps not. Repeat it.
   * Cost: one round trip.
   */
  async expire(key: string, options?: CallOptions): Promise<void> {
    checkName('key', key)
    const signal = this.#admit(checkOptions(options))
    return this.#during(remove(this.#layers, key, 'expire', signal))
  }

  /**
   * Removes every entry whose latest `set` or `getOrSet` carried `tag`. Entries stored while it runs
   * may survive.
   *
   * @throws L2Error `L2_UNSUPPORTED` where the adapter has no tags: nothing is removed then.
   * @throws L2Error where L2 failed: they are gone from L1, from L2 in part. Repeat it.
   * Cost: the adapter's round trips; in L1, time for the entries removed alone.
   */
  async deleteByTag(tag: string, options?: CallOptions): Promise<void> {
    checkName('tag', tag)
    const signal = this.#admit(checkOptions(options))
    this.#allowTags([tag])
    return this.#during(removeByTag(this.#layers, tag, signal))
  }

  /**
   * Removes everything: all of L1, and all that the adapter holds under its prefix, whoever put it
   * there.
   *
   * @throws L2Error `L2_PREFIX_REQUIRED` where the adapter's prefix is empty; else as
   * {@link deleteByTag}.
   * Cost: the adapter's round trips.
   */
  async clear(options?: CallOptions): Promise<void> {
    const signal = this.#admit(checkOptions(options))
    return this.#during(removeAll(this.#layers, signal))
  }

  /**
   * Closes the cache: calls in flight settle, factories included, later ones reject with
   * `L2_CLOSED`, and L1 is emptied. The adapter stays open: it is yours. May be called again.
   */
  close(): Promise<void> {
    this.#closed ??= this.#layers.activity.idle().then(() => this.#l1?.clear())
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * Calls `listener` for every event `name` from now on: see {@link CacheEvents}. Events cost
   * nothing while nobody listens. What a listener throws becomes an uncaught exception; the call it
   * was told about goes on.
   *
   * @throws TypeError where there is no event `name`.
   */
  on<E extends keyof CacheEvents>(name: E, listener: CacheListener<E>): this {
    this.#layers.events.on(name, listener)
    return this
  }

  /** Ends what {@link on} began. @throws TypeError where there is no event `name`. */
  off<E extends keyof CacheEvents>(name: E, listener: CacheListener<E>): this {
    this.#layers.events.off(name, listener)
    return this
  }

  /** Counters since the cache was made. They go on counting after `close()`. */
  stats(): CacheStats {
    return { ...this.#layers.counters, l1Entries: this.#l1?.size ?? 0 }
  }

  #peek(key: string): { readonly value: unknown } | undefined {
    if (this.#closed !== undefined) return undefined
    const entry = this.#l1?.get(key)
    if (entry !== undefined) countHit(this.#layers, key, 'l1')
    return entry
  }

  /** The signal among the options. @throws where this call must not begin. */
  #admit(given: Readonly<Record<string, unknown>>): AbortSignal | undefined {
    const signal = checkSignal(given['signal'])
    if (this.#closed !== undefined)
      throw new L2Error('L2_CLOSED', 'This Cache was closed; make another one.')
    if (signal?.aborted) throw signal.reason
    return signal
  }

  #allowTags(tags: readonly string[]): void {
    if (tags.length === 0 || this.#layers.l2?.capabilities?.tags !== false) return
    throw new L2Error(
      'L2_UNSUPPORTED',
      'The adapter behind this cache has no tags, so an entry could not be deleted by them.',
    )
  }

  async #during<T>(work: Promise<T>): Promise<T> {
    const { activity } = this.#layers
    activity.enter()
    try {
      return await work
    } finally {
      activity.leave()
    }
  }
}
