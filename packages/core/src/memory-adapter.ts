import type { AdapterOptions } from './adapter-options.js'
import type { Backend, Slices } from './backend.js'
import { now } from './clock.js'
import { GuardedAdapter } from './guarded-adapter.js'
import { MemoryStorage, type Space } from './memory-storage.js'

/** What `new MemoryAdapter()` takes. */
export interface MemoryAdapterOptions extends AdapterOptions {
  /** The data. Adapters given the same storage share it. Default: one of its own. */
  readonly storage?: MemoryStorage | undefined
}

/**
 * The reference adapter: the contract over this process's memory, for tests and development. It
 * shares nothing with other processes and is not bounded.
 *
 * Cost: no round trips; a copy of the bytes for each `get` and `set`.
 *
 * @example
 * await using adapter = new MemoryAdapter()
 * await adapter.set('user:1', bytes, { ttl: 60_000, tags: ['users'] })
 */
export class MemoryAdapter extends GuardedAdapter {
  /** @throws TypeError, RangeError where an option is not what it should be. */
  constructor(options: MemoryAdapterOptions = {}) {
    super(options, ({ prefix }) => {
      const storage = options.storage ?? new MemoryStorage()
      return new MemoryBackend(storage.space(prefix))
    })
  }
}

class MemoryBackend implements Backend {
  readonly #space: Space

  constructor(space: Space) {
    this.#space = space
  }

  get(key: string): Uint8Array | undefined {
    return this.#space.get(key)
  }

  set(key: string, value: Uint8Array, ttl: number, tags: readonly string[]): void {
    this.#space.set(key, value, ttl, tags)
  }

  delete(key: string): void {
    this.#space.delete(key)
  }

  deleteByTag(tag: string): Slices {
    return this.#space.remove(this.#space.tagged.get(tag) ?? [], () => true)
  }

  clear(): Slices {
    return this.#space.remove(this.#space.entries.values(), () => true)
  }

  sweep(): Slices {
    const time = now()
    return this.#space.remove(this.#space.entries.values(), entry => entry.expiry <= time)
  }

  ping(): void {}

  close(): void {}
}
