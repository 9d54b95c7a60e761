import { expiryOf, now } from './clock.js'

/** How long one slice of bulk work may take, in ms. */
const SLICE = 2

/** Entries between two looks at the clock. */
const STRIDE = 64

interface Entry {
  readonly key: string
  readonly value: Uint8Array
  readonly expiry: number
  readonly tags: readonly string[]
  /** Counts up over all entries of a space, so that bulk work can end where it began. */
  readonly sequence: number
}

/** What one prefix holds. Its maps keep the order of `sequence`: a re-set entry moves to the end. */
class Space {
  readonly entries = new Map<string, Entry>()
  readonly tagged = new Map<string, Set<Entry>>()
  #sequence = 0

  get(key: string): Uint8Array | undefined {
    const entry = this.entries.get(key)
    return entry === undefined || entry.expiry <= now() ? undefined : entry.value
  }

  set(key: string, value: Uint8Array, ttl: number, tags: readonly string[]): void {
    this.delete(key)
    const entry = { key, value, expiry: expiryOf(ttl), tags, sequence: this.#sequence++ }
    this.entries.set(key, entry)
    for (const tag of tags) {
      const members = this.tagged.get(tag)
      if (members === undefined) this.tagged.set(tag, new Set([entry]))
      else members.add(entry)
    }
  }

  delete(key: string): boolean {
    const entry = this.entries.get(key)
    if (entry === undefined) return false
    this.entries.delete(key)
    for (const tag of entry.tags) {
      const members = this.tagged.get(tag)
      members?.delete(entry)
      if (members?.size === 0) this.tagged.delete(tag)
    }
    return true
  }

  /**
   * Removes those of `entries` that are there now and match. Entries set meanwhile stand behind
   * them, so it ends however fast others set.
   */
  *remove(entries: Iterable<Entry>, matches: (entry: Entry) => boolean): Generator<number, void> {
    const end = this.#sequence
    let until = performance.now() + SLICE
    let seen = 0
    let removed = 0
    for (const entry of entries) {
      if (entry.sequence >= end) break
      if (matches(entry) && this.delete(entry.key)) removed++
      if (++seen % STRIDE !== 0 || performance.now() < until) continue
      yield removed
      removed = 0
      until = performance.now() + SLICE
    }
    yield removed
  }
}

/** The data behind one or several `MemoryAdapter`s of this process. */
export class MemoryStorage {
  // A map of maps: no character of a prefix or key can make two pairs one.
  readonly #spaces = new Map<string, Space>()

  /** @internal */
  space(prefix: string): Space {
    let space = this.#spaces.get(prefix)
    if (space === undefined) {
      space = new Space()
      this.#spaces.set(prefix, space)
    }
    return space
  }
}

export type { Space }
