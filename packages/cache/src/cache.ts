import { checkName, checkOptions, checkSignal, L2Error } from '@l2/core'
import { Activity } from './activity.js'
import { Breaker } from './breaker.js'
import {
  type CacheOptions,
  type CallOptions,
  type ClearOptions,
  cacheSettings,
  type GetOptions,
  type RemoveOptions,
  type SetOptions,
} from './cache-options.js'
import { isOver } from './clock.js'
import type { Entry } from './entry.js'
import { type EntrySettings, entrySettings } from './entry-options.js'
import { type CacheEvents, type CacheListener, Events } from './events.js'
import type { Factory } from './factory.js'
import { Fences } from './fences.js'
import { Fills } from './fills.js'
import { type CacheHealth, healthOf } from './health.js'
import { L1 } from './l1.js'
import { L2 } from './l2.js'
import { countHit, countMiss, type Layers } from './layers.js'
import { logTo } from './logger.js'
import { Batch, type ManyFactory } from './many.js'
import { checkBoolean } from './option-checks.js'
import { read } from './read.js'
import { remove, removeAll, removeByTag } from './remove.js'
import { type CacheStats, Counters } from './stats.js'
import { type Trace, Tracer } from './tracing.js'
import { Values } from './values.js'
import { write } from './write.js'

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
  readonly #values: Values
  readonly #fills: Fills
  readonly #defaults: EntrySettings
  #closed: Promise<void> | undefined

  /**
   * @throws TypeError, RangeError where an option is not what it should be, or there is none of that
   * name; the error names it.
   */
  constructor(options: CacheOptions = {}) {
    const { l1, l2, serializer, defaults, breaker, logger, includeKeys } = cacheSettings(options)
    const events = new Events(includeKeys)
    const counters = new Counters()
    const tracer = new Tracer(includeKeys)
    this.#l1 = l1 && new L1(l1.maxEntries, l1.maxBytes)
    this.#values = new Values(serializer, l1?.clone === true, l1?.maxBytes !== undefined)
    this.#defaults = defaults
    this.#layers = {
      l1: this.#l1,
      l2:
        l2 &&
        new L2(
          l2,
          new Breaker(breaker, l2, defaults.l2Timeouts.soft, event =>
            events.emit('breaker', event),
          ),
          events,
          counters,
          tracer,
        ),
      values: this.#values,
      fences: new Fences(),
      events,
      counters,
      activity: new Activity(),
      tracer,
    }
    this.#fills = new Fills(this.#layers)
    if (logger !== undefined) logTo(logger, events)
  }

  /**
   * Reads the value under `key`.
   *
   * @param key any well-formed Unicode string up to 64 KiB in UTF-8, the empty one included.
   * @returns `undefined` on a miss; `null`, `0`, `''` and `false` are values. The type is what you
   * say it is: nothing checks it.
   * @throws L2Error where L1 has no value and L2 failed: a failure does not look like a miss. At once
   * while the breaker is open: `L2_UNAVAILABLE`.
   * Cost: nothing but memory where L1 has it, else one round trip.
   */
  get<T = unknown>(key: string, options?: GetOptions): Promise<T | undefined> {
    // Not an async function: a hit would pay for the frame of all that a miss takes.
    try {
      if (options?.signal === undefined && !(options?.skipL1Read ?? this.#defaults.skipL1Read)) {
        const entry = this.#hit(key)
        if (entry !== undefined) return this.#give(entry.value) as Promise<T>
      }
      return this.#getFromL2(key, options) as Promise<T | undefined>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #getFromL2(key: string, options: GetOptions | undefined): Promise<unknown> {
    checkName('key', key)
    const given = checkOptions(options)
    const settings = entrySettings(given, this.#defaults)
    const signal = this.#admit(given)
    if (signal !== undefined && !settings.skipL1Read) {
      const entry = this.#hit(key)
      if (entry !== undefined) return this.#give(entry.value)
    }
    const { l2 } = this.#layers
    if (l2 === undefined || settings.skipL2Read) {
      countMiss(this.#layers, key)
      return DONE
    }
    return this.#giveWhenKept(
      this.#during({ operation: 'get', key }, () => read(this.#layers, l2, key, settings, signal)),
    )
  }

  /**
   * Reads the value under `key`, or makes it with `factory` and stores it.
   *
   * Calls for one key share one flight, L2 read and factory, with the options of the first, tags
   * included; `signal`, `factoryTimeouts`, `lockTimeout` and what `failSafe` gives in their place are
   * each call's own. A call that leaves in such a way does not fail the others. A factory that fails
   * fails all of them, and nothing is stored. A factory must not wait for its own key, directly or
   * through the factory of another: it would wait for ever, and `close()` with it.
   *
   * L2's failures do not fail the call: the factory answers, L1 keeps the value, and an `l2Error`
   * event tells. Where the factory fails or takes too long and `failSafe` is on, a stale value takes its
   * place for `throttle`, in this process alone, and a `failSafe` event tells. What was deleted or set
   * after the factory began is not overwritten: the callers that waited get the value, and it is
   * stored nowhere.
   *
   * @param factory its result is stored unless it is `undefined`, which is returned only. Called at
   * most once for each key at a time; again while an outdated one still runs, or one that
   * `lockTimeout` does not wait for.
   * @throws what the factory throws, but for `failSafe`; L2Error `L2_FACTORY_TIMEOUT` after
   * `factoryTimeouts.hard`; what the serializer throws where the value can't be written; RangeError
   * where L2 would get over 64 MiB of it, or over 1 MiB of tags; L2Error `L2_UNSUPPORTED` for tags on
   * an adapter that has none.
   * Cost: nothing but memory where L1 has it, one round trip where L2 has it, else two and the
   * factory. Both round trips together cost at most `l2Timeouts.soft`.
   */
  getOrSet<T>(key: string, factory: Factory<T>, options?: SetOptions): Promise<T> {
    // As in get.
    try {
      let mayBeInL1 = true
      if (options?.signal === undefined && !(options?.skipL1Read ?? this.#defaults.skipL1Read)) {
        const entry = this.#closed === undefined ? this.#l1?.find(key) : undefined
        if (entry !== undefined && !isOver(entry.refreshAt)) {
          countHit(this.#layers, key, 'l1')
          return this.#give(entry.value) as Promise<T>
        }
        mayBeInL1 = entry !== undefined
      }
      return this.#fill(key, factory, options, mayBeInL1) as Promise<T>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #fill(
    key: string,
    factory: Factory<unknown>,
    options: SetOptions | undefined,
    mayBeInL1: boolean,
  ): Promise<unknown> {
    checkName('key', key)
    const settings = this.#settingsWith(factory, options)
    const signal = this.#admit(options)
    this.#allowTags(settings.tags)
    const entry = mayBeInL1 && !settings.skipL1Read ? this.#hit(key) : undefined
    if (entry !== undefined) {
      if (isOver(entry.refreshAt)) this.#fills.refresh(key, factory, settings, entry)
      return this.#give(entry.value)
    }
    return this.#giveWhenKept(
      this.#layers.tracer.trace('call', { operation: 'getOrSet', key }, () =>
        this.#fills.getOrSet(key, factory, settings, signal),
      ),
    )
  }

  #give(kept: unknown): Promise<unknown> {
    return this.#values.clone
      ? new Promise(resolve => resolve(this.#values.given(kept)))
      : Promise.resolve(kept)
  }

  #giveWhenKept(kept: Promise<unknown>): Promise<unknown> {
    return this.#values.clone ? kept.then(each => this.#values.given(each)) : kept
  }

  /**
   * As {@link getOrSet} for many keys: one round trip reads them all, one call of `factory` makes all
   * that are missing, and each becomes an entry of its own.
   *
   * Keys that other calls are making are waited for, not made twice.
   *
   * @param keys strings; duplicates don't matter.
   * @param factory given the keys that are missing, returns pairs of key and value: a `Map`, for one. What it
   * returns for other keys is dropped; `undefined`, or no pair, is no value.
   * @returns the values by key, in the order of `keys`, without those that have none.
   * @throws what {@link getOrSet} throws, for any key.
   * Cost: nothing but memory where L1 has all, else one round trip to adapters that share them, as
   * ours do, and another to store what was made.
   */
  async getOrSetMany<T>(
    keys: Iterable<string>,
    factory: ManyFactory<T>,
    options?: SetOptions,
  ): Promise<Map<string, T>> {
    const unique = checkKeys(keys)
    const settings = this.#settingsWith(factory, options)
    const signal = this.#admit(options)
    this.#allowTags(settings.tags)
    const fill = (): Promise<unknown[]> => {
      const missing = new Batch(factory)
      const due = new Batch(factory)
      const kept = Array.from(unique, key => {
        const entry = settings.skipL1Read ? undefined : this.#hit(key)
        if (entry === undefined) {
          const { factory, begun } = missing.of(key)
          return this.#fills.getOrSet(key, factory, settings, signal, begun)
        }
        if (isOver(entry.refreshAt)) {
          const { factory, begun } = due.of(key)
          this.#fills.refresh(key, factory, settings, entry, begun)
        }
        return entry.value
      })
      missing.sealed()
      due.sealed()
      return Promise.all(kept)
    }
    const kept = await this.#layers.tracer.trace('call', { operation: 'getOrSetMany' }, fill)
    const values = new Map<string, T>()
    let i = 0
    for (const key of unique) {
      const value = this.#values.given(kept[i++])
      if (value !== undefined) values.set(key, value as T)
    }
    return values
  }

  /**
   * Stores `value` under `key` and replaces value, ttl and tags of an earlier one.
   *
   * @param value anything but `undefined`. L1 keeps it as it is, L2 what the serializer makes of it.
   * @throws TypeError where `value` is `undefined`; what the serializer throws; RangeError where L2
   * would get over 64 MiB of it, or over 1 MiB of tags; L2Error `L2_UNSUPPORTED` for tags on an
   * adapter that has none. Nothing is stored then.
   * @throws L2Error where L2 failed: L1 has the new value, L2 perhaps. The same after an abort. At once
   * while the breaker is open: `L2_UNAVAILABLE`.
   * Cost: one round trip.
   */
  set(key: string, value: unknown, options?: SetOptions): Promise<void> {
    try {
      return this.#set(key, value, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #set(key: string, value: unknown, options: SetOptions | undefined): Promise<void> {
    checkName('key', key)
    if (value === undefined)
      throw new TypeError('value must not be undefined: delete() removes a key')
    if (value instanceof Promise) throw new TypeError('value must not be a promise: await it first')
    const given = checkOptions(options)
    const settings = entrySettings(given, this.#defaults)
    const signal = this.#admit(given)
    this.#allowTags(settings.tags)
    if (this.#layers.l2 === undefined) {
      void write(this.#layers, key, value, settings, signal)
      return DONE
    }
    return this.#during({ operation: 'set', key }, () =>
      write(this.#layers, key, value, settings, signal),
    )
  }

  /**
   * Removes the value under `key`, if there is one.
   *
   * @throws L2Error `L2_UNAVAILABLE` where L2 failed: the value is gone from L1, from L2 perhaps. Repeat
   * it. At once while the breaker is open.
   * Cost: one round trip.
   */
  async delete(key: string, options?: RemoveOptions): Promise<void> {
    return this.#remove(key, 'delete', options)
  }

  /**
   * Makes the value under `key` stale: the next `getOrSet` runs its factory. Unlike {@link delete} it
   * leaves L1's copy, for as long as the entry would have been kept, to calls with `failSafe` whose
   * factory fails. From L2 it is removed.
   *
   * @throws L2Error `L2_UNAVAILABLE` where L2 failed: the value is stale in L1, in L2 perhaps not. Repeat
   * it. At once while the breaker is open.
   * Cost: one round trip.
   */
  async expire(key: string, options?: RemoveOptions): Promise<void> {
    return this.#remove(key, 'expire', options)
  }

  /**
   * Removes every entry whose latest `set` or `getOrSet` carried `tag`. Entries stored while it runs
   * may survive.
   *
   * @throws L2Error `L2_UNSUPPORTED` where the adapter has no tags: nothing is removed then.
   * @throws L2Error `L2_UNAVAILABLE` where L2 failed: they are gone from L1, from L2 in part. Repeat it.
   * At once while the breaker is open.
   * Cost: the adapter's round trips; in L1, time for the entries removed alone.
   */
  async deleteByTag(tag: string, options?: CallOptions): Promise<void> {
    checkName('tag', tag)
    const signal = this.#admit(checkOptions(options))
    this.#allowTags([tag])
    return this.#during({ operation: 'deleteByTag', tag }, () =>
      removeByTag(this.#layers, tag, signal),
    )
  }

  /**
   * Removes everything: all of L1, and, unless `l2` is `false`, all that the adapter holds under its
   * prefix, whoever put it there.
   *
   * @throws L2Error `L2_PREFIX_REQUIRED` where the adapter's prefix is empty; else as
   * {@link deleteByTag}.
   * Cost: the adapter's round trips.
   */
  async clear(options?: ClearOptions): Promise<void> {
    const given = checkOptions(options)
    const { l2 = true } = given
    const alsoL2 = checkBoolean('l2', l2)
    const signal = this.#admit(given)
    return this.#during({ operation: 'clear' }, () => removeAll(this.#layers, alsoL2, signal))
  }

  /**
   * Closes the cache: calls in flight settle, their factories included, later ones reject with
   * `L2_CLOSED`, and L1 is emptied. Factories that nobody waits for any more are aborted, writes to L2
   * are not. The adapter stays open: it is yours. May be called again.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
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
    return {
      ...this.#layers.counters,
      l1Entries: this.#l1?.size ?? 0,
      l1Bytes: this.#l1?.bytes ?? 0,
    }
  }

  /**
   * Tells whether L2 answers, for an endpoint that reports readiness. Never rejects. A process whose
   * L2 is down still serves: whether it is to be taken out for that is yours to say.
   *
   * Cost: one `ping`, which has `defaults.l2Timeouts.soft` to answer; none while the breaker is open.
   */
  health(): Promise<CacheHealth> {
    return healthOf(this.#layers, this.#defaults.l2Timeouts.soft)
  }

  async #close(): Promise<void> {
    const { activity, l2 } = this.#layers
    this.#fills.release()
    await activity.idle()
    l2?.breaker.end()
    this.#l1?.clear()
  }

  async #remove(
    key: string,
    operation: 'delete' | 'expire',
    options: RemoveOptions | undefined,
  ): Promise<void> {
    checkName('key', key)
    const given = checkOptions(options)
    const settings = entrySettings(given, this.#defaults)
    const signal = this.#admit(given)
    return this.#during({ operation, key }, () =>
      remove(this.#layers, key, operation, settings, signal),
    )
  }

  /** What L1 has under `key`, if it is fresh. */
  #hit(key: string): Entry | undefined {
    const entry = this.#closed === undefined ? this.#l1?.get(key) : undefined
    if (entry !== undefined) countHit(this.#layers, key, 'l1')
    return entry
  }

  #settingsWith(factory: unknown, options: SetOptions | undefined): EntrySettings {
    if (typeof factory !== 'function')
      throw new TypeError(`factory must be a function, not ${typeof factory}`)
    return entrySettings(checkOptions(options), this.#defaults)
  }

  /** The signal among the options. @throws where this call must not begin. */
  #admit(given: CallOptions | undefined): AbortSignal | undefined {
    const signal = checkSignal(given?.signal)
    if (this.#closed !== undefined)
      throw new L2Error('L2_CLOSED', 'This Cache was closed; make another one.')
    if (signal?.aborted) throw signal.reason
    return signal
  }

  #allowTags(tags: readonly string[]): void {
    if (tags.length === 0 || this.#layers.l2?.adapter.capabilities?.tags !== false) return
    throw new L2Error(
      'L2_UNSUPPORTED',
      'The adapter behind this cache has no tags, so an entry could not be deleted by them.',
    )
  }

  async #during<T>(about: Trace, work: () => Promise<T> | undefined): Promise<T | undefined> {
    const { activity, tracer } = this.#layers
    activity.enter()
    try {
      return await tracer.trace('call', about, work)
    } finally {
      activity.leave()
    }
  }
}

/** Of what need not wait and has nothing to give. */
const DONE = Promise.resolve(undefined)

function checkKeys(keys: Iterable<string>): ReadonlySet<string> {
  if (typeof keys !== 'object' || keys === null || !(Symbol.iterator in keys))
    throw new TypeError('keys must be an array, or something else to iterate over, of strings')
  const unique = new Set(keys)
  for (const key of unique) checkName('key', key)
  return unique
}
