import { EventEmitter } from 'node:events'
import type { L2Error } from '@l2/core'

/** What {@link Cache.on} tells, by name. */
export interface CacheEvents {
  /** A call got its value from L1 or L2. Calls that share another call's work tell nothing. */
  readonly hit: { readonly key: string; readonly layer: 'l1' | 'l2' }
  /** Neither had it: `get` returns `undefined`, `getOrSet` goes on to the factory. */
  readonly miss: { readonly key: string }
  /**
   * A call to L2 failed. `degraded` tells whether the cache went on without L2, as `getOrSet` does,
   * or rejected with `error`. A call that its caller aborted is no failure.
   */
  readonly l2Error: {
    readonly operation: 'get' | 'set' | 'delete' | 'expire' | 'deleteByTag' | 'clear'
    /** What `get`, `set`, `delete` and `expire` were about. */
    readonly key?: string
    /** What `deleteByTag` was about. */
    readonly tag?: string
    readonly degraded: boolean
    readonly error: unknown
  }
  /** A factory failed, and its calls got a stale value, or the default one. */
  readonly failSafe: { readonly key: string; readonly error: unknown }
  /** L2 holds bytes under `key` that are no envelope or do not deserialize. Served as a miss. */
  readonly corrupt: { readonly key: string; readonly error: L2Error }
}

/** A function that {@link Cache.on} calls, at once and in the order of registration. */
export type CacheListener<E extends keyof CacheEvents> = (event: CacheEvents[E]) => void

// A record, so that the compiler misses none.
const NAMES: Record<keyof CacheEvents, true> = {
  hit: true,
  miss: true,
  l2Error: true,
  failSafe: true,
  corrupt: true,
}

/** The listeners of one cache. Nothing is made, and no event built, while there are none. */
export class Events {
  #emitter: EventEmitter | undefined

  /** Whether an event is worth building. */
  hears(name: keyof CacheEvents): boolean {
    return this.#emitter !== undefined && this.#emitter.listenerCount(name) > 0
  }

  on<E extends keyof CacheEvents>(name: E, listener: CacheListener<E>): void {
    checkEvent(name)
    this.#emitter ??= new EventEmitter()
    this.#emitter.on(name, listener)
  }

  off<E extends keyof CacheEvents>(name: E, listener: CacheListener<E>): void {
    checkEvent(name)
    this.#emitter?.off(name, listener)
  }

  emit<E extends keyof CacheEvents>(name: E, event: CacheEvents[E]): void {
    for (const listener of this.#emitter?.listeners(name) ?? []) {
      try {
        listener(event)
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

function checkEvent(name: unknown): void {
  if (typeof name === 'string' && Object.hasOwn(NAMES, name)) return
  const what = typeof name === 'string' ? JSON.stringify(name) : typeof name
  throw new TypeError(`event must be one of ${Object.keys(NAMES).join(', ')}, not ${what}`)
}

/** Counters since the cache was made, and the size of L1. */
export interface CacheStats {
  /** Calls of `get` and `getOrSet` answered from L1. */
  readonly l1Hits: number
  /** Those answered from L2. */
  readonly l2Hits: number
  /** Those that found the value in neither. */
  readonly misses: number
  /** Calls of `getOrSet` that shared the work of another one, whatever came of it. */
  readonly joined: number
  /** How often a factory was run. */
  readonly factories: number
  /** How often a stale value took the place of what a factory did not make: see the event `failSafe`. */
  readonly failSafes: number
  /** Failed calls to L2: see the event `l2Error`. */
  readonly l2Errors: number
  /** Unreadable entries in L2: see the event `corrupt`. */
  readonly corrupt: number
  /** Entries in L1 now, expired ones that nobody asked for included. */
  readonly l1Entries: number
}

/** {@link CacheStats} while it is being counted. */
export class Counters {
  l1Hits = 0
  l2Hits = 0
  misses = 0
  joined = 0
  factories = 0
  failSafes = 0
  l2Errors = 0
  corrupt = 0
}
