export { Cache } from './cache.js'
export type { Duration } from './duration.js'
export type { CacheEvents, CacheListener, CacheStats } from './events.js'
export type { Factory, FactoryContext } from './fill.js'
export type {
  CacheOptions,
  CallOptions,
  EntryOptions,
  FailSafeOptions,
  L1Options,
  SetOptions,
} from './options.js'
export { jsonSerializer, type Serializer } from './serializer.js'
