import { type Adapter, type Deadline, isL2Error, L2Error } from '@l2/core'
import type { Breaker } from './breaker.js'
import { clock } from './clock.js'
import { DeadlinesByTime } from './deadlines-by-time.js'
import type { Entry } from './entry.js'
import type { EntrySettings } from './entry-options.js'
import type { CacheEvents, Events, L2Operation } from './events.js'
import type { Counters } from './stats.js'
import type { Tracer } from './tracing.js'

/** What a call to L2 is about. */
export interface About {
  readonly operation: L2Operation
  readonly key?: string
  readonly tag?: string
}

/** How long a call to L2 may take. */
export interface Limits {
  readonly signal: AbortSignal | undefined
  /** ms; 0 = as long as the adapter's own timeout allows. */
  readonly timeout: number
}

/** What a call that waits for L2 allows. */
export const limitsOf = (
  { l2Timeouts }: EntrySettings,
  signal: AbortSignal | undefined,
): Limits => ({ signal, timeout: l2Timeouts.hard })

/** Those of work that nobody waits for: the adapter's own. */
export const NO_LIMITS: Limits = { signal: undefined, timeout: 0 }

/** The one way from the cache to its adapter: bounded, traced, counted, and watched by the breaker. */
export class L2 {
  readonly adapter: Adapter
  readonly breaker: Breaker
  readonly #events: Events
  readonly #counters: Counters
  readonly #tracer: Tracer
  readonly #deadlines = new DeadlinesByTime()

  constructor(
    adapter: Adapter,
    breaker: Breaker,
    events: Events,
    counters: Counters,
    tracer: Tracer,
  ) {
    this.adapter = adapter
    this.breaker = breaker
    this.#events = events
    this.#counters = counters
    this.#tracer = tracer
  }

  /** Whether calls are to go on without it. */
  get isDown(): boolean {
    return this.breaker.open
  }

  /** A read. Its failure is told by the caller, who alone knows whether he can do without. */
  get(key: string, limits: Limits): Promise<Uint8Array | undefined> {
    const { signal } = limits
    return this.#watched({ operation: 'get', key }, limits, () =>
      this.adapter.get(key, signal && { signal }),
    )
  }

  /**
   * A write. @param degraded whether the cache goes on where it fails. @param bytes an envelope of `entry`.
   */
  set(
    key: string,
    entry: Entry,
    bytes: Uint8Array,
    limits: Limits,
    degraded: boolean,
  ): Promise<void> {
    return this.#told({ operation: 'set', key }, degraded, limits, () => {
      const { physicalExpiry, tags } = entry
      const { signal } = limits
      const ttl = physicalExpiry === undefined ? 0 : physicalExpiry - clock()
      // Serializing took its whole life. A ttl of 0 would keep it for ever.
      if (physicalExpiry !== undefined && ttl <= 0)
        return this.adapter.delete(key, signal && { signal })
      return this.adapter.set(
        key,
        bytes,
        signal === undefined ? { ttl, tags } : { ttl, tags, signal },
      )
    })
  }

  /** @throws L2Error `L2_UNAVAILABLE` where it is not known that L2 did it. */
  async remove(
    about: About,
    limits: Limits,
    work: (adapter: Adapter) => Promise<void>,
  ): Promise<void> {
    const { signal } = limits
    try {
      await this.#told(about, false, limits, () => work(this.adapter))
    } catch (error) {
      if (signal?.aborted || !isLost(error)) throw error
      throw new L2Error(
        'L2_UNAVAILABLE',
        `L2 did not take this ${about.operation}: other processes may still get what it was to remove. Repeat it.`,
        { cause: error },
      )
    }
  }

  /** Counts and tells a failure of a call. */
  failed(about: About, degraded: boolean, error: unknown): void {
    this.#counters.l2Errors++
    this.#events.emit('l2Error', { ...about, degraded, error } as CacheEvents['l2Error'])
  }

  async #told(
    about: About,
    degraded: boolean,
    limits: Limits,
    work: () => Promise<void>,
  ): Promise<void> {
    if (this.isDown) {
      const error = down()
      // One that nobody waits for, and who began it does not know that it won't come.
      if (degraded) this.failed(about, degraded, error)
      throw error
    }
    try {
      await this.#watched(about, limits, work)
    } catch (error) {
      if (!limits.signal?.aborted) this.failed(about, degraded, error)
      throw error
    }
  }

  /** One promise around the adapter's own: each more costs a read as much as its decoding. */
  #watched<T>(about: About, { signal, timeout }: Limits, work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const begun = performance.now()
      const deadlines = timeout > 0 ? this.#deadlines.of(timeout) : undefined
      let deadline: Deadline | undefined
      let isSettled = false
      const settle = (): boolean => {
        if (isSettled) return false
        isSettled = true
        if (deadline !== undefined) deadlines?.clear(deadline)
        return true
      }
      const fail = (error: unknown): void => {
        if (!settle()) return
        if (!signal?.aborted) this.breaker.failed(error)
        reject(error)
      }
      deadline = deadlines?.set(() => {
        deadline = undefined
        // Where this process was held up the answer may have come long ago: it gets time to be read.
        const isHeldUp = performance.now() - begun > timeout + HELD_UP
        if (isHeldUp) setTimeout(() => fail(late(timeout)), HELD_UP)
        else setImmediate(() => fail(late(timeout)))
      }, begun)
      const succeed = (value: T): void => {
        if (!settle()) return
        this.breaker.succeeded(begun)
        resolve(value)
      }
      try {
        this.#tracer.trace('l2', about, work).then(succeed, fail)
      } catch (error) {
        fail(error)
      }
    })
  }
}

/** ms by which a timer is late where the process was held up, and which an answer then gets. */
const HELD_UP = 20

/** What calls get that can't do without L2 while the breaker is open. */
export const down = (): L2Error =>
  new L2Error(
    'L2_UNAVAILABLE',
    'L2 failed too often and is left alone until it answers a ping: the breaker is open.',
  )

const late = (timeout: number): L2Error =>
  new L2Error('L2_TIMEOUT', `L2 did not answer within ${timeout} ms: see l2Timeouts.`)

/** Whether the same call may well succeed later. Anything else says more than that L2 is not there. */
const isLost = (error: unknown): boolean =>
  isL2Error(error)
    ? error.retryable && error.code !== 'L2_UNAVAILABLE'
    : !(error instanceof TypeError || error instanceof RangeError)
