import { now } from '@l2/core'
import { again, entryOf, isFresh, isKept, laterOf, standIn } from './entry.js'
import type { Ticket } from './fences.js'
import type { Entry } from './l1.js'
import { countFailSafe, countMiss, type Layers } from './layers.js'
import type { EntrySettings } from './options.js'
import { lookInL2 } from './read.js'
import { Flight } from './single-flight.js'
import { encode, reported, writeL2 } from './write.js'

/** What a factory is given. Later versions add to it. */
export interface FactoryContext {
  /** Aborts when every call that waits for this factory has been aborted. */
  readonly signal: AbortSignal
}

/** Makes a value that the cache does not have. */
export type Factory<T> = (context: FactoryContext) => T | PromiseLike<T>

/** `getOrSet` where L1 has nothing: one flight for each key. */
export class Fills {
  readonly #layers: Layers
  readonly #running = new Map<string, Fill>()

  constructor(layers: Layers) {
    this.#layers = layers
  }

  getOrSet(
    key: string,
    factory: Factory<unknown>,
    settings: EntrySettings,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const running = this.#running.get(key)
    if (running?.joinable) {
      this.#layers.counters.joined++
      return running.join(signal)
    }
    const fill = new Fill(this.#layers, key, factory, settings, () => {
      if (this.#running.get(key) === fill) this.#running.delete(key)
    })
    // Before it starts: a factory may ask for its own key.
    this.#running.set(key, fill)
    this.#layers.activity.enter()
    fill.start(signal !== undefined)
    return fill.join(signal)
  }
}

/** One flight: read L2, else run the factory, store what it made in L1 and L2. */
class Fill {
  readonly #layers: Layers
  readonly #factory: Factory<unknown>
  readonly #settings: EntrySettings
  readonly #flight: Flight<unknown>
  readonly #leave: () => void
  #ticket: Ticket
  #stored = false
  #ended = false

  /** @param leave is called when nobody may join any more. */
  constructor(
    layers: Layers,
    key: string,
    factory: Factory<unknown>,
    settings: EntrySettings,
    leave: () => void,
  ) {
    this.#layers = layers
    this.#factory = factory
    this.#settings = settings
    this.#leave = leave
    this.#ticket = layers.fences.begin(key, layers.l2 !== undefined)
    this.#flight = new Flight(() => this.#abandoned())
  }

  /**
   * Whether a call made now may have the result. Not if the key was set since this began, nor if
   * the factory began before an invalidation; what is still being read then turns into a miss.
   */
  get joinable(): boolean {
    const ticket = this.#ticket
    if (ticket.replaced) return false
    return ticket.reads || !this.#layers.fences.outdated(ticket, this.#settings.tags)
  }

  join(signal: AbortSignal | undefined): Promise<unknown> {
    return this.#flight.join(signal)
  }

  /** @param mayBeAbandoned whether the first caller came with a signal. */
  start(mayBeAbandoned: boolean): void {
    this.#flight.start(() => this.#run(mayBeAbandoned))
  }

  async #run(mayBeAbandoned: boolean): Promise<unknown> {
    const layers = this.#layers
    const { l2 } = layers
    let stale: Entry | undefined
    try {
      if (l2 === undefined) {
        countMiss(layers, this.#ticket.key)
      } else {
        const signal = mayBeAbandoned ? this.#flight.signal : undefined
        const found = await lookInL2(layers, l2, this.#ticket, signal, true)
        if (found.hit !== undefined) return found.hit.value
        if (this.#flight.abandoned) throw this.#flight.signal.reason
        // Looked at once more: it was deleted, perhaps, between the answer and this turn.
        const { fences } = layers
        if (found.stale !== undefined && !fences.outdated(this.#ticket, found.stale.tags))
          stale = found.stale
        this.#endRead()
      }
      layers.counters.factories++
      const createdAt = now()
      let value: unknown
      try {
        value = await this.#factory(new Context(this.#flight))
      } catch (error) {
        return this.#instead(error, stale)
      }
      // Asked here too: what is outdated by now need not be serialized.
      if (value !== undefined && this.#mayStore()) await this.#store(value, createdAt)
      return value
    } finally {
      this.#end()
    }
  }

  /**
   * What the callers get where the factory failed. A stale value comes back into L1, not into L2: other
   * processes may have something better.
   *
   * @param fromL2 the stale value that L2 had.
   */
  #instead(error: unknown, fromL2: Entry | undefined): unknown {
    const { l1, fences } = this.#layers
    const { failSafe, tags } = this.#settings
    const { key, replaced } = this.#ticket
    if (!failSafe.on || this.#flight.abandoned) throw error
    const inL1 = l1?.peek(key)
    if (inL1 !== undefined && isFresh(inL1)) return inL1.value
    const stale = replaced ? inL1 : laterOf(inL1, fromL2)
    const isUsable =
      stale !== undefined && isKept(stale) && !fences.outdated(this.#ticket, stale.tags)
    const { value } = isUsable ? stale : { value: failSafe.defaultValue }
    if (value === undefined) throw error
    if (isUsable) l1?.set(key, again(stale, failSafe.throttle))
    else if (this.#mayStore()) l1?.set(key, standIn(value, failSafe.throttle, tags))
    countFailSafe(this.#layers, { key, error })
    return value
  }

  #endRead(): void {
    const { fences } = this.#layers
    const read = this.#ticket
    this.#ticket = fences.begin(read.key, false)
    // This flight began before the set, which its factory must not overwrite.
    this.#ticket.replaced = read.replaced
    fences.end(read)
  }

  #mayStore(): boolean {
    if (this.#flight.abandoned || this.#ticket.replaced) return false
    return !this.#layers.fences.outdated(this.#ticket, this.#settings.tags)
  }

  async #store(value: unknown, createdAt: number): Promise<void> {
    const layers = this.#layers
    const { l2, fences } = layers
    const { key } = this.#ticket
    const made = entryOf(value, this.#settings, createdAt)
    const bytes = l2 && encode(layers, made.l2)
    // After the serializer, which runs code of the caller's, toJSON for one: it may delete the key.
    // No pause from here to the call to L2: from there on the adapter's order holds.
    if (!this.#mayStore()) return
    fences.replace(key, this.#ticket)
    layers.l1?.set(key, made.l1)
    this.#stored = true
    if (l2 === undefined || bytes === undefined) return
    try {
      const event = { operation: 'set', key, degraded: true } as const
      await reported(layers, event, undefined, () => writeL2(l2, key, made.l2, bytes, undefined))
    } catch {
      // It was told, and the caller has the value.
    }
  }

  #abandoned(): void {
    // What is stored is good for others, and its write goes on. A factory that does not heed its
    // signal runs on, but holds up neither the next one nor close().
    if (!this.#stored) this.#end()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#layers.fences.end(this.#ticket)
    this.#layers.activity.leave()
    this.#leave()
  }
}

/** Asks the flight only when the factory does. */
class Context implements FactoryContext {
  readonly #flight: Flight<unknown>

  constructor(flight: Flight<unknown>) {
    this.#flight = flight
  }

  get signal(): AbortSignal {
    return this.#flight.signal
  }
}
