import type { Call } from '../../src/backend.js'
import type { Mutant } from './mutant.js'
import type { Row } from './server.js'
import { SLICE, TwinBackend } from './twin.js'

export const order: readonly Mutant[] = [
  {
    mistake: 'a set does not replace what is there',
    rule: 'Order',
    caughtBy: 'values.overwrite',
    Backend: class extends TwinBackend {
      override put(row: Row): void {
        if (!this.server.rows.has(row.id)) super.put(row)
      }
      override remove(row: Row | undefined): void {
        if (!this.writing) super.remove(row)
      }
      writing = false
      override write(key: string, value: Uint8Array, ttl: number, tags: readonly string[]): void {
        this.writing = true
        super.write(key, value, ttl, tags)
        this.writing = false
      }
    },
  },
  {
    mistake: 'reads go out at once, writes with the next batch',
    rule: 'Order',
    caughtBy: 'order.reads-between-writes',
    anywhere: true,
    Backend: class extends TwinBackend {
      override async set(...args: Parameters<TwinBackend['set']>): Promise<void> {
        await null
        return super.set(...args)
      }
    },
  },
  {
    mistake: 'deletes overtake the sets of the same turn',
    rule: 'Order',
    caughtBy: 'order.set-delete-set',
    anywhere: true,
    Backend: class extends TwinBackend {
      override async set(...args: Parameters<TwinBackend['set']>): Promise<void> {
        await null
        return super.set(...args)
      }
      override async get(...args: Parameters<TwinBackend['get']>): Promise<Uint8Array | undefined> {
        await null
        return super.get(...args)
      }
    },
  },
  {
    mistake: 'of several sets of one key in one batch, the first wins',
    rule: 'Order',
    caughtBy: 'order.sets-of-one-key',
    Backend: class extends TwinBackend {
      readonly #batch = new Map<string, Promise<void>>()
      override set(...args: Parameters<TwinBackend['set']>): Promise<void> {
        const [key] = args
        const known = this.#batch.get(key)
        if (known !== undefined) return known
        const first = super.set(...args).finally(() => this.#batch.delete(key))
        this.#batch.set(key, first)
        return first
      }
    },
  },
  {
    mistake: 'concurrent reads of one turn share the answer of the first',
    rule: 'Order',
    caughtBy: 'order.reads-between-writes',
    anywhere: true,
    Backend: class extends TwinBackend {
      readonly #batch = new Map<string, Promise<Uint8Array | undefined>>()
      override get(key: string, call: Call): Promise<Uint8Array | undefined> {
        const first = this.#batch.get(key) ?? super.get(key, call)
        this.#batch.set(key, first)
        setImmediate(() => this.#batch.clear())
        return first
      }
    },
  },
  {
    mistake: 'the answers of a batch are given out in the wrong places after a miss',
    rule: 'Order',
    caughtBy: 'order.many-keys-of-one-turn',
    anywhere: true,
    Backend: class extends TwinBackend {
      #missed: string | undefined
      override read(key: string): Uint8Array | undefined {
        const value = super.read(key)
        if (value === undefined) this.#missed = key
        else if (this.#missed !== undefined) {
          this.#missed = undefined
          return undefined
        }
        return value
      }
    },
  },
  {
    mistake: 'deleteByTag goes by another connection than the sets before it',
    rule: 'Order',
    caughtBy: 'order.deleteByTag-after-sets',
    anywhere: true,
    Backend: class extends TwinBackend {
      override async *deleteByTag(tag: string): AsyncGenerator<number> {
        for (;;) {
          const removed = this.removeTagged(tag, this.server.sequence)
          yield removed
          if (removed < SLICE) return
        }
      }
    },
  },
  {
    mistake: 'clear goes by another connection than the sets before it',
    rule: 'Order',
    caughtBy: 'order.clear-after-sets',
    anywhere: true,
    Backend: class extends TwinBackend {
      override async *clear(): AsyncGenerator<number> {
        for (;;) {
          const removed = this.removeSome(this.server.rows.values(), this.server.sequence, row =>
            this.owns(row),
          )
          yield removed
          if (removed < SLICE) return
        }
      }
    },
  },
  {
    mistake: 'writes resolve before they are done',
    rule: 'Order',
    caughtBy: 'sharing.set',
    anywhere: true,
    Backend: class extends TwinBackend {
      override async set(...args: Parameters<TwinBackend['set']>): Promise<void> {
        setTimeout(() => super.set(...args).catch(() => {}), 1)
      }
    },
  },
  {
    mistake: 'reads go to a replica that lags behind',
    rule: 'Order',
    caughtBy: 'sharing.delete',
    anywhere: true,
    Backend: class extends TwinBackend {
      readonly #seen = new Map<string, { at: number; value: Uint8Array | undefined }>()
      override read(key: string): Uint8Array | undefined {
        const known = this.#seen.get(key)
        if (known !== undefined && performance.now() - known.at < 5) return known.value
        const value = super.read(key)
        this.#seen.set(key, { at: performance.now(), value })
        return value
      }
      override write(key: string, value: Uint8Array, ttl: number, tags: readonly string[]): void {
        super.write(key, value, ttl, tags)
        this.#seen.set(key, { at: performance.now(), value })
      }
    },
  },
  {
    mistake: 'each handle keeps the index of tags in its own memory',
    rule: 'Order',
    caughtBy: 'sharing.deleteByTag',
    anywhere: true,
    Backend: class extends TwinBackend {
      readonly #mine = new Set<string>()
      override index(row: Row): void {
        this.#mine.add(row.id)
        super.index(row)
      }
      override removeTagged(tag: string, end: number): number {
        const ids = [...(this.server.index.get(this.tagId(tag)) ?? [])].filter(id =>
          this.#mine.has(id),
        )
        return this.removeSome(this.rowsOf(ids), end, () => true)
      }
    },
  },
  {
    mistake: 'clear reaches only what the same handle has set',
    rule: 'Isolation',
    caughtBy: 'sharing.clear',
    Backend: class extends TwinBackend {
      readonly #mine = new Set<string>()
      override put(row: Row): void {
        this.#mine.add(row.id)
        super.put(row)
      }
      override owns(row: Row): boolean {
        return super.owns(row) && this.#mine.has(row.id)
      }
    },
  },
  {
    mistake: 'an overwritten entry is removed first and stored in a second step',
    seenIn: 'coefficient/cache (Go)',
    rule: 'Order',
    caughtBy: 'concurrency.overwrite-is-never-a-miss',
    anywhere: true,
    Backend: class extends TwinBackend {
      override async set(...args: Parameters<TwinBackend['set']>): Promise<void> {
        const [key, , , , call] = args
        const removed = this.delete(key, call)
        const stored = super.set(...args)
        await Promise.all([removed, stored])
      }
    },
  },
  {
    mistake: 'the value is written first, and the index in a second step',
    seenIn: 'coefficient/cache (Go), Symfony, laravel',
    rule: 'No orphans',
    caughtBy: 'crash.no-orphans',
    anywhere: true,
    Backend: class extends TwinBackend {
      override async set(
        key: string,
        value: Uint8Array,
        ttl: number,
        tags: readonly string[],
        call: Call,
      ): Promise<void> {
        await super.set(key, value, ttl, [], call)
        await this.link.send(call, () => {
          const row = this.server.rows.get(this.idOf(key))
          if (row === undefined) return
          row.tags = tags
          this.index(row)
        })
      }
    },
  },
  {
    mistake: 'the index is written first, and the value in a second step',
    seenIn: 'laravel',
    rule: 'No orphans',
    caughtBy: 'concurrency.no-orphans',
    anywhere: true,
    Backend: class extends TwinBackend {
      override async set(
        key: string,
        value: Uint8Array,
        ttl: number,
        tags: readonly string[],
        call: Call,
      ): Promise<void> {
        const indexed = this.link.send(call, () => {
          for (const tag of tags) {
            const members = this.server.index.get(this.tagId(tag)) ?? new Set()
            this.server.index.set(this.tagId(tag), members.add(this.idOf(key)))
          }
        })
        const stored = this.link.send(call, () => {
          const index = this.server.index
          this.write(key, value, ttl, [])
          const row = this.server.rows.get(this.idOf(key))
          // Those that a deleteByTag took away meanwhile are not put back.
          if (row !== undefined)
            row.tags = tags.filter(tag => index.get(this.tagId(tag))?.has(row.id))
        })
        await Promise.all([indexed, stored])
      }
      override removeTagged(tag: string, end: number): number {
        const removed = super.removeTagged(tag, end)
        if (removed < SLICE) this.server.index.delete(this.tagId(tag))
        return removed
      }
    },
  },
  {
    mistake: 'a value is written in two halves',
    rule: 'What a crash may cost',
    caughtBy: 'crash.whole',
    anywhere: true,
    Backend: class extends TwinBackend {
      override async set(
        key: string,
        value: Uint8Array,
        ttl: number,
        tags: readonly string[],
        call: Call,
      ): Promise<void> {
        const half = value.slice()
        half.fill(0xff, value.length >> 1)
        await Promise.all([
          super.set(key, half, ttl, tags, call),
          super.set(key, value, ttl, tags, call),
        ])
      }
    },
  },
]
