import { type Adapter, L2Error, type SetOptions } from '@l2/core'
import type { Scheduler } from './scheduler.js'

interface Call {
  /** `undefined`: all keys. */
  readonly key: string | undefined
  readonly run: () => void
}

interface Entry {
  readonly value: Uint8Array
  readonly tags: readonly string[]
  readonly expiry: number
}

/**
 * An adapter that does all that the contract allows, at any time: a call takes effect some time after
 * it was made and is answered some time after that. Only calls on one key keep their order, and a
 * removal by tag or of everything comes after all that was called before it. Calls may fail, having
 * taken effect or not.
 */
export class SimulatedL2 implements Adapter {
  readonly #scheduler: Scheduler
  readonly #fails: boolean
  readonly #entries = new Map<string, Entry>()
  /** Called, and not yet in effect, in the order of the calls. */
  readonly #waiting: Call[] = []

  /** @param fails whether one in eight calls fails. */
  constructor(scheduler: Scheduler, fails: boolean) {
    this.#scheduler = scheduler
    this.#fails = fails
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#call(key, () => {
      const entry = this.#entries.get(key)
      return entry !== undefined && Date.now() < entry.expiry ? entry.value : undefined
    })
  }

  set(key: string, value: Uint8Array, { ttl = 0, tags = [] }: SetOptions = {}): Promise<void> {
    return this.#call(key, () => {
      const expiry = ttl === 0 ? Number.POSITIVE_INFINITY : Date.now() + ttl
      this.#entries.set(key, { value, tags, expiry })
    })
  }

  delete(key: string): Promise<void> {
    return this.#call(key, () => void this.#entries.delete(key))
  }

  deleteByTag(tag: string): Promise<void> {
    return this.#call(undefined, () => {
      for (const [key, entry] of this.#entries)
        if (entry.tags.includes(tag)) this.#entries.delete(key)
    })
  }

  clear(): Promise<void> {
    return this.#call(undefined, () => this.#entries.clear())
  }

  ping(): Promise<void> {
    return this.#call('', () => {})
  }

  async #call<T>(key: string | undefined, effect: () => T): Promise<T> {
    const failure = this.#fails && this.#scheduler.in(8) ? this.#scheduler.pick(2) : undefined
    const result = await new Promise<T | undefined>(resolve => {
      this.#waiting.push({ key, run: () => resolve(failure === 0 ? undefined : effect()) })
      void this.#scheduler.pause().then(() => this.#runOne())
    })
    await this.#scheduler.pause()
    if (failure !== undefined) throw new L2Error('L2_UNAVAILABLE', 'simulated')
    return result as T
  }

  /** One of those whose turn it may be. */
  #runOne(): void {
    const ready = this.#waiting.filter(
      (call, i) =>
        i === 0 ||
        (call.key !== undefined &&
          !this.#waiting.slice(0, i).some(before => before.key === call.key)),
    )
    const call = ready[this.#scheduler.pick(ready.length)] as Call
    this.#waiting.splice(this.#waiting.indexOf(call), 1)
    call.run()
  }
}
