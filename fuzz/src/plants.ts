import type { Adapter, CallOptions, SetOptions } from '@l2/core'
import type { ClosableAdapter } from './caller.js'

/** An adapter that does as another one does. Bugs are planted by what a subclass does otherwise. */
class Plant implements Adapter {
  protected readonly real: ClosableAdapter

  constructor(real: ClosableAdapter) {
    this.real = real
  }

  get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
    return this.real.get(key, options)
  }
  set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    return this.real.set(key, value, options)
  }
  delete(key: string, options?: CallOptions): Promise<void> {
    return this.real.delete(key, options)
  }
  deleteByTag(tag: string, options?: CallOptions): Promise<void> {
    return this.real.deleteByTag(tag, options)
  }
  clear(options?: CallOptions): Promise<void> {
    return this.real.clear(options)
  }
  ping(options?: CallOptions): Promise<void> {
    return this.real.ping(options)
  }
  close(): Promise<void> {
    return this.real.close()
  }
}

const elapse = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Real mistakes, each of which the fuzzer must find. */
const PLANTS = {
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

  /** Value and tags are written by two calls. */
  'tags-apart': class extends Plant {
    override async set(key: string, value: Uint8Array, options: SetOptions = {}): Promise<void> {
      const copy = value.slice()
      await super.set(key, copy, { ...options, tags: [] })
      await super.set(key, copy, options)
    }
  },

  /** The index of tags misses every 50th entry. */
  'forgets-a-tag': class extends Plant {
    #sets = 0
    override set(key: string, value: Uint8Array, options: SetOptions = {}): Promise<void> {
      const tags = options.tags ?? []
      const kept = ++this.#sets % 50 === 0 ? tags.slice(1) : tags
      return super.set(key, value, { ...options, tags: kept })
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

  /** deleteByTag removes what once carried the tag, set again without it or not. */
  'old-tags': class extends Plant {
    readonly #carried = new Map<string, Set<string>>()
    override set(key: string, value: Uint8Array, options: SetOptions = {}): Promise<void> {
      for (const tag of options.tags ?? []) {
        const keys = this.#carried.get(tag) ?? new Set()
        this.#carried.set(tag, keys.add(key))
      }
      return super.set(key, value, options)
    }
    override async deleteByTag(tag: string, options?: CallOptions): Promise<void> {
      const keys = [...(this.#carried.get(tag) ?? [])]
      this.#carried.delete(tag)
      await Promise.all([super.deleteByTag(tag, options), ...keys.map(key => super.delete(key))])
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

  /** A long value is kept in two halves, under two keys. */
  'two-halves': class extends Plant {
    override async get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
      const first = await super.get(`${key}/1`, options)
      const second = await super.get(`${key}/2`, options)
      return first && second && new Uint8Array(Buffer.concat([first, second]))
    }
    override async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
      const copy = value.slice()
      const half = copy.length >> 1
      await super.set(`${key}/1`, copy.subarray(0, half), options)
      await super.set(`${key}/2`, copy.subarray(half), options)
    }
    override async delete(key: string, options?: CallOptions): Promise<void> {
      await super.delete(`${key}/1`, options)
      await super.delete(`${key}/2`, options)
    }
  },

  /** An entry may be read 20 ms longer than its ttl. */
  'late-expiry': class extends Plant {
    override set(key: string, value: Uint8Array, options: SetOptions = {}): Promise<void> {
      const ttl = options.ttl ? options.ttl + 20 : options.ttl
      return super.set(key, value, { ...options, ttl })
    }
  },

  /** An entry lives half its ttl. */
  'early-expiry': class extends Plant {
    override set(key: string, value: Uint8Array, options: SetOptions = {}): Promise<void> {
      return super.set(key, value, { ...options, ttl: (options.ttl ?? 0) / 2 })
    }
  },

  /** The caller's bytes are kept, not copied. */
  'shares-memory': class extends Plant {
    override async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
      await null
      await super.set(key, value, options)
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

  /** A read that fails, as one in a hundred does, says that there is nothing. */
  'failure-is-a-miss': class extends Plant {
    #reads = 0
    override async get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
      return ++this.#reads % 100 === 0 ? undefined : super.get(key, options)
    }
  },

  /** deleteByTag looks up the entries first and removes them later, whatever they are by then. */
  'looks-up-first': class extends Plant {
    readonly #tagged = new Map<string, Set<string>>()
    override set(key: string, value: Uint8Array, options: SetOptions = {}): Promise<void> {
      for (const [tag, keys] of this.#tagged) if (!options.tags?.includes(tag)) keys.delete(key)
      for (const tag of options.tags ?? [])
        this.#tagged.set(tag, (this.#tagged.get(tag) ?? new Set()).add(key))
      return super.set(key, value, options)
    }
    override async deleteByTag(tag: string, options?: CallOptions): Promise<void> {
      const keys = [...(this.#tagged.get(tag) ?? [])]
      await super.deleteByTag(tag, options)
      await elapse(1)
      for (const key of keys) await super.delete(key)
    }
  },
}

/** The names of all bugs that can be planted. */
export const PLANT_NAMES: readonly string[] = Object.keys(PLANTS)

/** An adapter with one bug. */
export function plantBug(name: string, adapter: ClosableAdapter): ClosableAdapter {
  if (!(name in PLANTS))
    throw new Error(`no such bug: ${name}; there are ${PLANT_NAMES.join(', ')}`)
  return new PLANTS[name as keyof typeof PLANTS](adapter)
}
