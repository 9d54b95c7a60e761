import { L2Error } from '@l2/core'
import { beingRefreshed, type Entry } from './entry.js'
import type { EntrySettings } from './entry-options.js'
import type { Factory } from './factory.js'
import { Fill } from './fill.js'
import type { Layers } from './layers.js'

/** What is being filled: one flight for each key. */
export class Fills {
  readonly #layers: Layers

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
    fill.start(signal !== undefined)
    return fill.join(settings, signal)
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
    const entry = beingRefreshed(due)
    this.#layers.l1?.set(key, entry)
    this.#layers.counters.refreshes++
    const fill = new Fill(this.#layers, key, factory, settings, entry, true, begun?.())
    fill.start(false)
    fill.keep()
  }

  /** From now on nothing is made that nobody waits for. */
  release(): void {
    const closed = new L2Error('L2_CLOSED', 'This Cache was closed.')
    for (const fill of this.#layers.fences.fills()) fill.release(closed)
  }

  async #join(
    running: Fill,
    key: string,
    factory: Factory<unknown>,
    settings: EntrySettings,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const value = await running.join(settings, signal, () => {
      const fill = new Fill(this.#layers, key, factory, settings, undefined, false, undefined)
      fill.start(signal !== undefined)
      return fill.join(settings, signal)
    })
    return running.revoked ? this.getOrSet(key, factory, settings, signal) : value
  }
}
