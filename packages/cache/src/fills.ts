import { L2Error } from '@l2/core'
import { beingRefreshed, type Entry } from './entry.js'
import type { EntrySettings } from './entry-options.js'
import type { Factory } from './factory.js'
import { Fill } from './fill.js'
import type { Layers } from './layers.js'

/** What is being filled: one flight for each key. */
export class Fills {
  readonly #layers: Layers
  /** Those that calls may join. */
  readonly #running = new Map<string, Fill>()
  /** Those, the ones that were outdated, and the ones of callers that waited long enough. */
  readonly #all = new Set<Fill>()

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
    const running = this.#running.get(key)
    if (running?.joinable) {
      this.#layers.counters.joined++
      return this.#join(running, key, factory, settings, signal)
    }
    const fill = this.#fill(key, factory, settings, undefined, true, begun?.())
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
    if (this.#running.get(key)?.joinable) return
    const entry = beingRefreshed(due)
    this.#layers.l1?.set(key, entry)
    this.#layers.counters.refreshes++
    const fill = this.#fill(key, factory, settings, entry, true, begun?.())
    fill.keep()
    fill.start(false)
  }

  /** From now on nothing is made that nobody waits for. */
  release(): void {
    const closed = new L2Error('L2_CLOSED', 'This Cache was closed.')
    for (const fill of this.#all) fill.release(closed)
  }

  async #join(
    running: Fill,
    key: string,
    factory: Factory<unknown>,
    settings: EntrySettings,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const value = await running.join(settings, signal, () => {
      const fill = this.#fill(key, factory, settings, undefined, false)
      fill.start(signal !== undefined)
      return fill.join(settings, signal)
    })
    return running.revoked ? this.getOrSet(key, factory, settings, signal) : value
  }

  #fill(
    key: string,
    factory: Factory<unknown>,
    settings: EntrySettings,
    due: Entry | undefined,
    isShared: boolean,
    ended?: () => void,
  ): Fill {
    const fill = new Fill(this.#layers, key, factory, settings, due, () => {
      if (this.#running.get(key) === fill) this.#running.delete(key)
      this.#all.delete(fill)
      ended?.()
    })
    // Before it starts: a factory may ask for its own key.
    if (isShared) this.#running.set(key, fill)
    this.#all.add(fill)
    return fill
  }
}
