import type { CallOptions, SetOptions } from '@l2/core'
import { Plant, type Plants } from './plant.js'

/** Mistakes about when a call takes effect, each of which the fuzzer must find. */
export const orderPlants: Plants = {
  /** What was read is served from the process's own memory for 50 ms. */
  'reads-from-memory': class extends Plant {
    readonly #memory = new Map<string, Uint8Array>()
    override async get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
      const known = this.#memory.get(key)
      if (known !== undefined) return known.slice()
      const value = await super.get(key, options)
      if (value !== undefined) {
        this.#memory.set(key, value.slice())
        setTimeout(() => this.#memory.delete(key), 50).unref()
      }
      return value
    }
  },

  /** A delete is acknowledged before it is done. */
  'early-delete': class extends Plant {
    override async delete(key: string): Promise<void> {
      setTimeout(() => super.delete(key).catch(() => {}), 2)
    }
  },

  /** A set is acknowledged before it is done. */
  'early-set': class extends Plant {
    override async set(key: string, value: Uint8Array, options: SetOptions = {}): Promise<void> {
      const copy = value.slice()
      const later = () => super.set(key, copy, { ...options, signal: undefined }).catch(() => {})
      setTimeout(later, 2)
    }
  },

  /** Of calls made in one turn, reads go first. */
  'reads-overtake': class extends Plant {
    override async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
      const copy = value.slice()
      await null
      await super.set(key, copy, options)
    }
  },

  /** Of calls made in one turn, the last goes first. */
  reversed: class extends Plant {
    #turn: (() => void)[] = []
    #later<T>(work: () => Promise<T>): Promise<T> {
      return new Promise((resolve, reject) => {
        if (this.#turn.length === 0)
          queueMicrotask(() => {
            const turn = this.#turn.reverse()
            this.#turn = []
            for (const run of turn) run()
          })
        this.#turn.push(() => work().then(resolve, reject))
      })
    }
    override set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
      const copy = value.slice()
      return this.#later(() => super.set(key, copy, options))
    }
    override delete(key: string, options?: CallOptions): Promise<void> {
      return this.#later(() => super.delete(key, options))
    }
  },

  /** A set that was given up is sent again later. */
  'sends-again': class extends Plant {
    override async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
      const copy = value.slice()
      try {
        await super.set(key, value, options)
      } catch (error) {
        const again = { ...options, signal: undefined }
        setTimeout(() => super.set(key, copy, again).catch(() => {}), 5)
        throw error
      }
    }
  },

  /** Calls wait for the next turn to share a round trip, and close() does not wait for them. */
  'hasty-close': class extends Plant {
    #later<T>(work: () => Promise<T>): Promise<T> {
      return new Promise((resolve, reject) => setImmediate(() => work().then(resolve, reject)))
    }
    override get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
      return this.#later(() => super.get(key, options))
    }
    override set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
      const copy = value.slice()
      return this.#later(() => super.set(key, copy, options))
    }
    override delete(key: string, options?: CallOptions): Promise<void> {
      return this.#later(() => super.delete(key, options))
    }
    override deleteByTag(tag: string, options?: CallOptions): Promise<void> {
      return this.#later(() => super.deleteByTag(tag, options))
    }
    override clear(options?: CallOptions): Promise<void> {
      return this.#later(() => super.clear(options))
    }
  },

  /** The caller's bytes are kept, not copied. */
  'shares-memory': class extends Plant {
    override async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
      await null
      await super.set(key, value, options)
    }
  },
}
