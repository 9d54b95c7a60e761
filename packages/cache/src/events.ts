import { EventEmitter } from 'node:events'
import type { L2Error } from '@l2/core'
import type { FailureClass } from './breaker.js'

/** What an entry's event is about, where the cache was made with `includeKeys`. */
interface Keyed {
  readonly key?: string
}

/** What {@link Cache.on} tells, by name. Keys and tags only with `includeKeys`, values never. */
export interface CacheEvents {
  /** A call got its value from L1 or L2. Calls that share another call's work tell nothing. */
  readonly hit: Keyed & { readonly layer: 'l1' | 'l2' }
  /** Neither had it: `get` returns `undefined`, `getOrSet` goes on to the factory. */
  readonly miss: Keyed
  /**
   * A call to L2 failed. `degraded` tells whether the cache went on without L2, as `getOrSet` does,
   * or rejected. A call that its caller aborted is no failure.
   */
  readonly l2Error: Keyed & {
    readonly operation: L2Operation
    /** What `deleteByTag` was about. */
    readonly tag?: string
    readonly degraded: boolean
    readonly error: unknown
  }
  /** A factory threw, or made what can't be stored. */
  readonly factoryError: Keyed & { readonly error: unknown }
  /** A factory failed or took too long, and its calls got a stale value, or the default one. */
  readonly failSafe: Keyed & { readonly error: unknown }
  /** L2 holds bytes under `key` that are no envelope or do not deserialize. Served as a miss. */
  readonly corrupt: Keyed & { readonly error: L2Error }
  /** The breaker opened, after failures of this class, the last being `error`, or closed. */
  readonly breaker:
    | { readonly state: 'open'; readonly cause: FailureClass; readonly error: unknown }
    | { readonly state: 'closed' }
}

/** What the cache asks of L2. */
export type L2Operation = 'get' | 'set' | 'delete' | 'expire' | 'deleteByTag' | 'clear'

/** A function that {@link Cache.on} calls, at once and in the order of registration. */
export type CacheListener<E extends keyof CacheEvents> = (event: CacheEvents[E]) => void

// A record, so that the compiler misses none.
const NAMES: Record<keyof CacheEvents, true> = {
  hit: true,
  miss: true,
  l2Error: true,
  factoryError: true,
  failSafe: true,
  corrupt: true,
  breaker: true,
}

/** The listeners of one cache. Nothing is made, and no event built, while there are none. */
export class Events {
  readonly #includeKeys: boolean
  #emitter: EventEmitter | undefined

  constructor(includeKeys: boolean) {
    this.#includeKeys = includeKeys
  }

  /** Whether an event is worth building. */
  hears(name: keyof CacheEvents): boolean {
    return this.#emitter !== undefined && this.#emitter.listenerCount(name) > 0
  }

  on<E extends keyof CacheEvents>(name: E, listener: CacheListener<E>): void {
    checkEvent(name)
    this.#emitter ??= new EventEmitter().setMaxListeners(0)
    this.#emitter.on(name, listener)
  }

  off<E extends keyof CacheEvents>(name: E, listener: CacheListener<E>): void {
    checkEvent(name)
    this.#emitter?.off(name, listener)
  }

  emit<E extends keyof CacheEvents>(name: E, event: CacheEvents[E]): void {
    if (!this.hears(name)) return
    const told = this.#includeKeys ? event : anonymous(event)
    for (const listener of this.#emitter?.listeners(name) ?? []) {
      try {
        listener(told)
      } catch (error) {
        // A listener's mistake must neither fail the call it was told about nor pass unseen. Node's
        // EventTarget does the same.
        process.nextTick(() => {
          throw error
        })
      }
    }
  }
}

function anonymous(event: object): object {
  const told: { key?: unknown; tag?: unknown } = { ...event }
  delete told.key
  delete told.tag
  return told
}

function checkEvent(name: unknown): void {
  if (typeof name === 'string' && Object.hasOwn(NAMES, name)) return
  const what = typeof name === 'string' ? JSON.stringify(name) : typeof name
  throw new TypeError(`event must be one of ${Object.keys(NAMES).join(', ')}, not ${what}`)
}
