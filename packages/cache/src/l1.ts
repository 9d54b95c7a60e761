import { LRUCache } from 'lru-cache'
import { clock, isOver, LONG_AGO } from './clock.js'
import type { Entry } from './entry.js'

/** The entries in this process's memory, with an index by tag. */
export class L1 {
  readonly #entries: LRUCache<string, Entry>
  readonly #tagged = new Map<string, Set<string>>()
  readonly #maxBytes: number | undefined

  /** @param maxEntries beyond it, or beyond maxBytes, the least recently used entry goes. */
  constructor(maxEntries: number, maxBytes?: number) {
    this.#maxBytes = maxBytes
    // Expiry is looked at in get: lru-cache's own would take a second clock and more memory.
    this.#entries = new LRUCache({
      max: maxEntries,
      // A size of 0 is none to it.
      ...(maxBytes !== undefined && {
        maxSize: maxBytes,
        sizeCalculation: (entry: Entry) => Math.max(1, entry.size),
      }),
      // Without a look at the entry where there are no tags: that alone costs as much as the rest.
      dispose: (entry, key) => {
        if (this.#tagged.size > 0) this.#untag(entry, key)
      },
    })
  }

  get size(): number {
    return this.#entries.size
  }

  /** Of the entries, where they are counted. */
  get bytes(): number {
    return this.#entries.calculatedSize
  }

  /** Tags in the index, for tests: those of entries, and no others. */
  get tags(): number {
    return this.#tagged.size
  }

  /** The entry under `key`, fresh or stale. */
  find(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  /** The entry under `key` while it is fresh. */
  get(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    const time = clock()
    if (!isOver(entry.logicalExpiry, time)) return entry
    if (isOver(entry.physicalExpiry, time)) this.#entries.delete(key)
    return undefined
  }

  /** The entry under `key`, fresh or stale. Not used by that, as to which one goes first. */
  peek(key: string): Entry | undefined {
    return this.#entries.peek(key)
  }

  /** An entry that is larger than all of L1 may be leaves it without one under `key`. */
  set(key: string, entry: Entry): void {
    if (this.#maxBytes !== undefined && entry.size > this.#maxBytes) {
      this.#entries.delete(key)
      return
    }
    this.#entries.set(key, entry)
    // After the entry: setting it disposed of its predecessor and took the key out of its tags.
    for (const tag of entry.tags) {
      const keys = this.#tagged.get(tag)
      if (keys === undefined) this.#tagged.set(tag, new Set([key]))
      else keys.add(key)
    }
  }

  /** Makes the entry stale: for as long as it would have been kept, it serves where a factory fails. */
  expire(key: string): void {
    const entry = this.#entries.peek(key)
    if (entry === undefined) return
    // Not now: the clock may be set back.
    this.set(key, { ...entry, refreshAt: LONG_AGO, logicalExpiry: LONG_AGO })
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  deleteByTag(tag: string): void {
    const keys = this.#tagged.get(tag)
    if (keys === undefined) return
    // First, so that the entries need not leave it one by one.
    this.#tagged.delete(tag)
    for (const key of keys) this.#entries.delete(key)
  }

  clear(): void {
    this.#tagged.clear()
    this.#entries.clear()
  }

  #untag(entry: Entry, key: string): void {
    for (const tag of entry.tags) {
      const keys = this.#tagged.get(tag)
      keys?.delete(key)
      if (keys?.size === 0) this.#tagged.delete(tag)
    }
  }
}
