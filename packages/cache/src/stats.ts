/** Counters since the cache was made, and the size of L1. */
export interface CacheStats {
  /** Calls of `get` and `getOrSet` answered from L1. Each key of `getOrSetMany` counts as a call. */
  readonly l1Hits: number
  /** Those answered from L2. */
  readonly l2Hits: number
  /** Those that found the value in neither. */
  readonly misses: number
  /** Calls of `getOrSet` that shared the work of another one, whatever came of it. */
  readonly joined: number
  /** How often a factory was run; one for many keys counts for each of them. */
  readonly factories: number
  /** How often it failed: see the event `factoryError`. */
  readonly factoryErrors: number
  /** How often an entry was refreshed before it expired: see `eagerRefresh`. */
  readonly refreshes: number
  /** How often a stale value took the place of what a factory did not make: see the event `failSafe`. */
  readonly failSafes: number
  /** Failed calls to L2: see the event `l2Error`. */
  readonly l2Errors: number
  /** Unreadable entries in L2: see the event `corrupt`. */
  readonly corrupt: number
  /** Entries in L1 now, expired ones that nobody asked for included. */
  readonly l1Entries: number
  /** Their bytes, as `maxBytes` counts them; 0 without `maxBytes`. */
  readonly l1Bytes: number
}

/** {@link CacheStats} while it is being counted. */
export class Counters {
  l1Hits = 0
  l2Hits = 0
  misses = 0
  joined = 0
  factories = 0
  factoryErrors = 0
  refreshes = 0
  failSafes = 0
  l2Errors = 0
  corrupt = 0
}
