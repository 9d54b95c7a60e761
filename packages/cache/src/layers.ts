import type { Activity } from './activity.js'
import type { CacheEvents, Events } from './events.js'
import type { Fences } from './fences.js'
import type { L1 } from './l1.js'
import type { L2 } from './l2.js'
import type { Counters } from './stats.js'
import type { Tracer } from './tracing.js'
import type { Values } from './values.js'

/** What a cache is made of, for the functions that do its work. */
export interface Layers {
  readonly l1: L1 | undefined
  readonly l2: L2 | undefined
  readonly values: Values
  readonly fences: Fences
  readonly events: Events
  readonly counters: Counters
  /** What `close()` waits for. */
  readonly activity: Activity
  readonly tracer: Tracer
}

export function countHit(layers: Layers, key: string, layer: 'l1' | 'l2'): void {
  if (layer === 'l1') layers.counters.l1Hits++
  else layers.counters.l2Hits++
  if (layers.events.hears('hit')) layers.events.emit('hit', { key, layer })
}

export function countMiss(layers: Layers, key: string): void {
  layers.counters.misses++
  if (layers.events.hears('miss')) layers.events.emit('miss', { key })
}

export function countFailSafe(layers: Layers, event: CacheEvents['failSafe']): void {
  layers.counters.failSafes++
  layers.events.emit('failSafe', event)
}

export function countFactoryError(layers: Layers, event: CacheEvents['factoryError']): void {
  layers.counters.factoryErrors++
  layers.events.emit('factoryError', event)
}

export function countCorrupt(layers: Layers, event: CacheEvents['corrupt']): void {
  layers.counters.corrupt++
  layers.events.emit('corrupt', event)
}
