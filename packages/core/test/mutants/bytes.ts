import type { CallOptions, SetOptions } from '../../src/adapter.js'
import { GuardedAdapter } from '../../src/guarded-adapter.js'
import type { Mutant } from './mutant.js'
import type { Row } from './server.js'
import { TwinBackend } from './twin.js'

const text = (value: Uint8Array): string => Buffer.from(value).toString()

export const bytes: readonly Mutant[] = [
  {
    mistake: 'values are kept as text',
    seenIn: '@keyv/redis, bentocache',
    rule: 'Bytes',
    caughtBy: 'values.not-utf8',
    Backend: class extends TwinBackend {
      override encode(value: Uint8Array): Uint8Array {
        return Buffer.from(text(value))
      }
    },
  },
  {
    mistake: 'an empty value is a miss',
    rule: 'Miss',
    caughtBy: 'values.empty-is-a-hit',
    Backend: class extends TwinBackend {
      override read(key: string): Uint8Array | undefined {
        const value = super.read(key)
        return value?.length ? value : undefined
      }
    },
  },
  {
    mistake: 'a miss is null',
    rule: 'Miss',
    caughtBy: 'values.absent-is-undefined',
    Adapter: class extends GuardedAdapter {
      override async get(
        key: string,
        options?: CallOptions,
      ): Promise<Uint8Array<ArrayBuffer> | undefined> {
        return (await super.get(key, options)) ?? (null as unknown as undefined)
      }
    },
  },
  {
    mistake: 'the text "null" is a miss',
    rule: 'Bytes',
    caughtBy: 'values.look-like-data',
    Backend: class extends TwinBackend {
      override read(key: string): Uint8Array | undefined {
        const value = super.read(key)
        return value !== undefined && text(value) === 'null' ? undefined : value
      }
    },
  },
  {
    mistake: 'values end at the first NUL',
    rule: 'Bytes',
    caughtBy: 'values.every-byte',
    Backend: class extends TwinBackend {
      override encode(value: Uint8Array): Uint8Array {
        const end = value.indexOf(0)
        return end < 0 ? value : value.slice(0, end)
      }
    },
  },
  {
    mistake: 'values over 8 MiB are cut off',
    rule: 'Bytes',
    caughtBy: 'values.16-mib',
    Backend: class extends TwinBackend {
      override encode(value: Uint8Array): Uint8Array {
        return value.slice(0, 8 * 2 ** 20)
      }
    },
  },
  {
    mistake: 'the whole buffer behind a view is stored',
    rule: 'Bytes',
    caughtBy: 'values.a-view-is-its-window',
    Adapter: class extends GuardedAdapter {
      override set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
        return super.set(key, value?.buffer ? new Uint8Array(value.buffer) : value, options)
      }
    },
  },
  {
    mistake: "the caller's buffer is kept, not copied",
    seenIn: 'cacheable',
    rule: 'Bytes',
    caughtBy: 'values.copied-in',
    Adapter: class extends GuardedAdapter {
      override async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
        // Looks at the bytes only after the caller may have changed them.
        await null
        return super.set(key, value, options)
      }
    },
  },
  {
    mistake: 'the stored buffer is given out, not a copy',
    seenIn: 'cacheable',
    rule: 'Bytes',
    caughtBy: 'values.copied-out',
    Adapter: class extends GuardedAdapter {
      readonly #given = new Map<string, Uint8Array<ArrayBuffer>>()
      override async get(
        key: string,
        options?: CallOptions,
      ): Promise<Uint8Array<ArrayBuffer> | undefined> {
        const value = await super.get(key, options)
        const given = this.#given.get(key)
        if (value === undefined || given?.length === value.length) return value && given
        this.#given.set(key, value)
        return value
      }
      override set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
        this.#given.delete(key)
        return super.set(key, value, options)
      }
    },
  },
  {
    mistake: 'a shorter value leaves the end of a longer one',
    rule: 'Order',
    caughtBy: 'values.overwrite',
    Backend: class extends TwinBackend {
      override put(row: Row): void {
        const old = this.#last.get(row.id)
        const value = new Uint8Array(Math.max(row.value.length, Math.min(old?.length ?? 0, 64)))
        value.set(old?.subarray(0, value.length) ?? [])
        value.set(row.value)
        this.#last.set(row.id, value)
        super.put({ ...row, value })
      }
      readonly #last = new Map<string, Uint8Array>()
    },
  },
]
