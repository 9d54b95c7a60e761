import { setTimeout as sleep } from 'node:timers/promises'
import type { Cache } from '@l2/cache'

/** Between two calls, in ms. */
const INTERVAL = 5

/** One `getOrSet` that took place. */
export interface Call {
  /** When it began, in ms since the process did. */
  readonly begun: number
  readonly ended: number
  /** What it took beside its factory, in ms. */
  readonly over: number
}

/**
 * `getOrSet` of a new key every few ms, however long the ones before take: as requests of users come.
 * The factory takes about a ms.
 */
export class Traffic {
  readonly #cache: Cache
  readonly #timer: NodeJS.Timeout
  readonly #calls: Promise<Call>[] = []

  constructor(cache: Cache) {
    this.#cache = cache
    this.#timer = setInterval(() => {
      const call = this.#call(this.#calls.length)
      this.#calls.push(call)
      // It rejects in stop().
      call.catch(() => {})
    }, INTERVAL)
  }

  /** Ends it and waits for what is under way. Rejects where a call did, or answered wrongly. */
  stop(): Promise<Call[]> {
    clearInterval(this.#timer)
    return Promise.all(this.#calls)
  }

  async #call(number: number): Promise<Call> {
    let made = 0
    const begun = performance.now()
    const value = await this.#cache.getOrSet(`call:${number}`, async () => {
      const start = performance.now()
      await sleep(1)
      made = performance.now() - start
      return number
    })
    const ended = performance.now()
    if (value !== number || made === 0) throw new Error('a getOrSet answered what was not made')
    return { begun, ended, over: ended - begun - made }
  }
}
