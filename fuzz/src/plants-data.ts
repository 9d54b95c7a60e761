import type { CallOptions, SetOptions } from '@l2/core'
import { Plant, type Plants } from './plant.js'

const elapse = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Mistakes about what is stored and for how long, each of which the fuzzer must find. */
export const dataPlants: Plants = {
  /** Value and tags are written by two calls. */
  'tags-apart': class extends Plant {
    override async set(key: string, value: Uint8Array, options: SetOptions = {}): Promise<void> {
      const copy = value.slice()
      await super.set(key, copy, { ...options, tags: [] })
      await super.set(key, copy, options)
    }
  },

  /** The index of tags misses every 20th entry. */
  'forgets-a-tag': class extends Plant {
    #sets = 0
    override set(key: string, value: Uint8Array, options: SetOptions = {}): Promise<void> {
      const tags = options.tags ?? []
      const kept = ++this.#sets % 20 === 0 ? tags.slice(1) : tags
      return super.set(key, value, { ...options, tags: kept })
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

  /** A read that fails, as one in a hundred does, says that there is nothing. */
  'failure-is-a-miss': class extends Plant {
    #reads = 0
    override async get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
      return ++this.#reads % 100 === 0 ? undefined : super.get(key, options)
    }
  },
}
