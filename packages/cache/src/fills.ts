import { L2Error } from '@l2/core'
import { beingRefreshed, type Entry } from './entry.js'
import type { EntrySettings } from './entry-options.js'
import type { Factory } from './factory.js'
import { Fill } from './fill.js'
import { countHit, type Layers } from './layers.js'

/** Begins fills, one flight for each key, and has calls join them. */
export class Fills {
  readonly #layers: Layers
  /** Why nothing is made any more that nobody waits for. */
  #released: L2Error | undefined

  constructor(layers: Layers) {
    this.#layers = layers
  }

  /**
   * `getOrSet` where L1 has nothing.
   *
   * @param begun is called where a flight was begun for this call, and gives what is called at its end.
   */
  getOrSet(
    key: string,
    factory: Factory<unknown>,
    settings: EntrySettings,
    signal: AbortSignal | undefined,
    begun?: () => () => void,
  ): Promise<unknown> {
    const running = this.#layers.fences.joinable(key)
    if (running !== undefined) {
      this.#layers.counters.joined++
      return this.#join(running, key, factory, settings, signal)
    }
    const fill = new Fill(this.#layers, key, factory, settings, undefined, true, begun?.())
    return this.#begin(fill, settings, signal)
  }

  /**
   * Has `due`, which L1 has, made anew in the background, unless that is being done. @param begun as
   * for {@link getOrSet}.
   */
  refresh(
    key: string,
    factory: Factory<unknown>,
    settings: EntrySettings,
    due: Entry,
    begun?: () => () => void,
  ): void {
    if (this.#layers.fences.joinable(key) !== undefined) return
    const { l1 } = this.#layers
    // It may have been removed just now: whoever was told of the hit may do so.
    if (l1?.peek(key) !== due) return
    const entry = beingRefreshed(due)
    l1.set(key, entry)
    this.#layers.counters.refreshes++
    const fill = new Fill(this.#layers, key, factory, settings, entry, true, begun?.())
    // It is abandoned by close() alone, and its read is then not to come into L1.
    fill.start(true)
    fill.keep()
  }

  /** From now on nothing is made that nobody waits for. */
  release(): void {
    this.#released = new L2Error('L2_CLOSED', 'This Cache was closed.')
    for (const fill of this.#layers.fences.fills()) fill.release(this.#released)
  }

  async #join(
    running: Fill,
    key: string,
    factory: Factory<unknown>,
    settings: EntrySettings,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const { activity } = this.#layers
    // Its own: between the flight it joined and one that it begins, nothing else may be in progress.
    activity.enter()
    try {
      const value = await running.join(settings, signal, () => {
        const hit = this.#hit(key, settings)
        if (hit !== undefined) return Promise.resolve(hit.value)
        return this.#begin(
          new Fill(this.#layers, key, factory, settings, undefined, false, undefined),
          settings,
          signal,
        )
      })
      if (!running.revoked) return value
      const hit = this.#hit(key, settings)
      return hit === undefined ? await this.getOrSet(key, factory, settings, signal) : hit.value
    } finally {
      activity.leave()
    }
  }

  /** What has come into L1 while the call waited for another's flight. */
  #hit(key: string, { skipL1Read }: EntrySettings): Entry | undefined {
    const entry = skipL1Read ? undefined : this.#layers.l1?.get(key)
    if (entry !== undefined) countHit(this.#layers, key, 'l1')
    return entry
  }

  #begin(fill: Fill, settings: EntrySettings, signal: AbortSignal | undefined): Promise<unknown> {
    fill.start(signal !== undefined)
    const result = fill.join(settings, signal)
    if (this.#released !== undefined) fill.release(this.#released)
    return result
  }
}
