import type { Adapter } from '@l2/core'
import type { CacheEvents, Counters, Events } from './events.js'
import type { Fences } from './fences.js'
import type { L1 } from './l1.js'
import type { Serializer } from './serializer.js'

/** What a cache is made of, for the functions that do its work. */
export interface Layers {
  readonly l1: L1 | undefined
  readonly l2: Adapter | undefined
  readonly serializer: Serializer
  readonly fences: Fences
  readonly events: Events
  readonly counters: Counters
  /** What `close()` waits for. */
  readonly activity: Activity
}

/** Counts what is in progress. */
export class Activity {
  #running = 0
  #idle: (() => void) | undefined

  enter(): void {
    this.#running++
  }

  leave(): void {
    if (--this.#running === 0) this.#idle?.()
  }

  /** Resolves when nothing is in progress. To be asked once. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>(resolve => (this.#idle = resolve))
  }
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

export function countL2Error(layers: Layers, event: CacheEvents['l2Error']): void {
  layers.counters.l2Errors++
  layers.events.emit('l2Error', event)
}

export function countFailSafe(layers: Layers, event: CacheEvents['failSafe']): void {
  layers.counters.failSafes++
  layers.events.emit('failSafe', event)
}

export function countCorrupt(layers: Layers, event: CacheEvents['corrupt']): void {
  layers.counters.corrupt++
  layers.events.emit('corrupt', event)
}
