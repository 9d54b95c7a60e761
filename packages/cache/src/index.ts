export { type Adapter, isL2Error, L2Error, type L2ErrorCode } from '@l2/core'
export type { FailureClass } from './breaker.js'
export { Cache } from './cache.js'
export type {
  BreakerOptions,
  CacheOptions,
  CallOptions,
  ClearOptions,
  GetOptions,
  L1Options,
  RemoveOptions,
  SetOptions,
} from './cache-options.js'
export type { Duration } from './duration.js'
export type {
  EntryOptions,
  FactoryTimeouts,
  FailSafeOptions,
  L2Timeouts,
} from './entry-options.js'
export type { CacheEvents, CacheListener, L2Operation } from './events.js'
export type { Factory, FactoryContext, Stale, StoreOptions } from './factory.js'
export type { CacheHealth, L2Health } from './health.js'
export type { Logger } from './logger.js'
export type { ManyContext, ManyFactory } from './many.js'
export { jsonSerializer, type Serializer } from './serializer.js'
export type { CacheStats } from './stats.js'
export type { Trace } from './tracing.js'
