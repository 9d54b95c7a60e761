import type { CallOptions, SetOptions } from '../../src/adapter.js'
import { GuardedAdapter } from '../../src/guarded-adapter.js'
import type { Mutant } from './mutant.js'
import type { Row } from './server.js'
import { TwinBackend } from './twin.js'

/** A backend that sees keys, and perhaps tags, only after `change`. */
const naming = (change: (name: string) => string, tagsToo = true): typeof TwinBackend =>
  class extends TwinBackend {
    override idOf(key: string): string {
      return super.idOf(change(key))
    }
    override tagId(tag: string, prefix = this.prefix): string {
      return super.tagId(tagsToo ? change(tag) : tag, prefix)
    }
  }

export const names: readonly Mutant[] = [
  {
    mistake: 'names are compared without case',
    rule: 'Keys and tags',
    caughtBy: 'keys.case',
    Backend: naming(name => name.toLowerCase()),
  },
  {
    mistake: 'names are normalized',
    rule: 'Keys and tags',
    caughtBy: 'keys.normalization',
    Backend: naming(name => name.normalize('NFC')),
  },
  {
    mistake: 'names end after 255 characters',
    seenIn: 'bentocache',
    rule: 'Keys and tags',
    caughtBy: 'keys.long-tails',
    Backend: naming(name => name.slice(0, 255)),
  },
  {
    mistake: 'names end at the first NUL',
    seenIn: '@keyv/postgres, bentocache',
    rule: 'Keys and tags',
    caughtBy: 'keys.nul',
    Backend: naming(name => name.replace(/\0.*/s, '')),
  },
  {
    mistake: 'spaces at the end of a name do not count',
    rule: 'Keys and tags',
    caughtBy: 'keys.white-space',
    Backend: naming(name => name.trimEnd()),
  },
  {
    mistake: 'line breaks in names are all the same',
    rule: 'Keys and tags',
    caughtBy: 'keys.white-space',
    Backend: naming(name => name.replace(/\s+/g, ' ')),
  },
  {
    mistake: 'names that look like numbers become numbers',
    rule: 'Keys and tags',
    caughtBy: 'keys.numbers',
    Backend: naming(name => (/^[\d.+-]+$/.test(name) ? String(Number(name)) : name)),
  },
  {
    mistake: 'slashes at the end of a name are dropped',
    seenIn: 'unstorage',
    rule: 'Keys and tags',
    caughtBy: 'keys.trailing',
    Backend: naming(name => name.replace(/[/:]+$/, '')),
  },
  {
    mistake: 'only what stands in braces counts, as for a Redis Cluster slot',
    rule: 'Keys and tags',
    caughtBy: 'keys.braces',
    Backend: naming(name => /\{([^}]+)\}/.exec(name)?.[1] ?? name),
  },
  {
    mistake: 'characters beyond the BMP become U+FFFD',
    rule: 'Keys and tags',
    caughtBy: 'keys.beyond-the-bmp',
    Backend: naming(name => name.replace(/[\u{10000}-\u{10ffff}]/gu, '\ufffd')),
  },
  {
    mistake: 'quotes are doubled, and doubled ones too',
    rule: 'Keys and tags',
    caughtBy: 'keys.quotes',
    Backend: naming(name => name.replaceAll("''", "'")),
  },
  {
    mistake: 'the empty name becomes a default',
    rule: 'Keys and tags',
    caughtBy: 'keys.empty',
    Backend: naming(name => name || 'undefined'),
  },
  {
    mistake: 'wildcards in a key reach others when it is deleted',
    rule: 'Keys and tags',
    caughtBy: 'keys.wildcards',
    Backend: class extends TwinBackend {
      override idOf(key: string): string {
        if (!key.endsWith('*')) return super.idOf(key)
        for (const row of this.server.rows.values())
          if (this.owns(row) && row.key.startsWith(key.slice(0, -1))) return row.id
        return super.idOf(key)
      }
    },
  },
  {
    mistake: 'names are members of a plain object',
    rule: 'Keys and tags',
    caughtBy: 'keys.object-members',
    Backend: class extends TwinBackend {
      override read(key: string): Uint8Array | undefined {
        return key in {} ? undefined : super.read(key)
      }
    },
  },
  {
    mistake: 'the index of a tag is kept under a key that a user may choose',
    seenIn: 'coefficient/cache (Go), async-cache-dedupe',
    rule: 'Keys and tags',
    caughtBy: 'keys.bookkeeping',
    Backend: class extends TwinBackend {
      override index(row: Row): void {
        for (const tag of row.tags) this.server.rows.delete(this.idOf(`tag:${tag}`))
        super.index(row)
      }
    },
  },
  {
    mistake: 'a key is taken for a tag',
    rule: 'Tags',
    caughtBy: 'keys.key-is-no-tag',
    Backend: class extends TwinBackend {
      override removeTagged(tag: string, end: number): number {
        this.remove(this.server.rows.get(this.idOf(tag)))
        return super.removeTagged(tag, end)
      }
    },
  },
  {
    mistake: 'lone surrogates are written as U+FFFD',
    seenIn: '@keyv/postgres, @keyv/sqlite, bentocache',
    rule: 'Keys and tags',
    caughtBy: 'misuse.surrogates-never-collide',
    Adapter: class extends GuardedAdapter {
      override get(
        key: string,
        options?: CallOptions,
      ): Promise<Uint8Array<ArrayBuffer> | undefined> {
        return super.get(wellFormed(key), options)
      }
      override set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
        return super.set(wellFormed(key), value, options)
      }
    },
  },
  {
    mistake: 'keys over 64 KiB are cut off without a word',
    rule: 'Keys and tags',
    caughtBy: 'misuse.long-names',
    Adapter: class extends GuardedAdapter {
      override get(
        key: string,
        options?: CallOptions,
      ): Promise<Uint8Array<ArrayBuffer> | undefined> {
        return super.get(typeof key === 'string' ? key.slice(0, 10_000) : key, options)
      }
    },
  },
  {
    mistake: 'keys that are no strings are turned into some',
    rule: 'Keys and tags',
    caughtBy: 'misuse.no-strings',
    Adapter: class extends GuardedAdapter {
      override delete(key: string, options?: CallOptions): Promise<void> {
        return super.delete(typeof key === 'number' ? `${key}` : key, options)
      }
    },
  },
]

const wellFormed = (name: string): string => (typeof name === 'string' ? name.toWellFormed() : name)
