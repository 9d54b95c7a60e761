import type { Call } from '../../src/backend.js'
import { now } from '../../src/clock.js'
import { elapse } from '../../src/conformance/context.js'
import type { Mutant } from './mutant.js'
import type { Row } from './server.js'
import { ALIVE, SLICE, TwinBackend } from './twin.js'

/** When a tag was last deleted, by the clock of who did: shared by the handles of one server. */
const markers = new WeakMap<object, Map<string, number>>()

/** Tags by markers of time: an entry is dead that was made no later than one of its tags was deleted. */
class MarkerBackend extends TwinBackend {
  clock(): number {
    return now()
  }
  readonly #made = made
  get #markers(): Map<string, number> {
    const known = markers.get(this.server) ?? new Map<string, number>()
    markers.set(this.server, known)
    return known
  }
  override write(key: string, value: Uint8Array, ttl: number, tags: readonly string[]): void {
    super.write(key, value, ttl, tags)
    const row = this.server.rows.get(this.idOf(key))
    if (row !== undefined) this.#made.set(row, this.clock())
  }
  override read(key: string): Uint8Array | undefined {
    const row = this.server.rows.get(this.idOf(key))
    const madeAt = row && this.#made.get(row)
    const dead = row?.tags.some(tag => (this.#markers.get(this.tagId(tag)) ?? -1) >= (madeAt ?? 0))
    return dead ? undefined : super.read(key)
  }
  override deleteByTag(tag: string, call: Call): AsyncGenerator<number> {
    return this.inSlices(call, () => {
      this.#markers.set(this.tagId(tag), this.clock())
      return 0
    })
  }
}
const made = new WeakMap<Row, number>()

export const tags: readonly Mutant[] = [
  {
    mistake: 'deleteByTag does nothing and reports success',
    seenIn: 'coefficient/cache (Go), by its documentation',
    rule: 'Tags',
    caughtBy: 'tags.exactly-those',
    Backend: class extends TwinBackend {
      override removeTagged(): number {
        return 0
      }
    },
  },
  {
    mistake: 'tags are kept after a re-set',
    rule: 'Tags',
    caughtBy: 'tags.old-tags-go',
    Backend: class extends TwinBackend {
      override tagsOf(tags: readonly string[], old: Row | undefined): readonly string[] {
        return [...new Set([...tags, ...(old?.tags ?? [])])]
      }
    },
  },
  {
    mistake: 'members of a tag outlive a re-set, and are not looked at again',
    seenIn: 'async-cache-dedupe',
    rule: 'Tags',
    caughtBy: 'tags.untagged-again',
    Backend: class extends TwinBackend {
      override unindex(): void {}
      override removeTagged(tag: string, end: number): number {
        const ids = this.server.index.get(this.tagId(tag)) ?? []
        const removed = this.removeSome(this.rowsOf(ids), end, () => true)
        if (removed < SLICE) this.server.index.delete(this.tagId(tag))
        return removed
      }
    },
  },
  {
    mistake: 'the first set decides on the tags',
    rule: 'Tags',
    caughtBy: 'tags.tagged-later',
    Backend: class extends TwinBackend {
      override tagsOf(tags: readonly string[], old: Row | undefined): readonly string[] {
        return old?.tags ?? tags
      }
    },
  },
  {
    mistake: 'a re-set with the same tags removes them from the index, and does not add them',
    rule: 'No orphans',
    caughtBy: 'tags.same-tags-again',
    Backend: class extends TwinBackend {
      override write(key: string, value: Uint8Array, ttl: number, tags: readonly string[]): void {
        const before = this.server.rows.get(this.idOf(key))?.tags ?? []
        super.write(key, value, ttl, tags)
        const row = this.server.rows.get(this.idOf(key))
        if (
          row !== undefined &&
          before.length > 0 &&
          `${[...before].sort()}` === `${[...tags].sort()}`
        )
          this.unindex(row)
      }
    },
  },
  {
    mistake: 'delete leaves the tags in the index, for the next entry of that key',
    seenIn: 'coefficient/cache (Go)',
    rule: 'Tags',
    caughtBy: 'tags.after-delete',
    Backend: class extends TwinBackend {
      override delete(key: string, call: Call): Promise<void> {
        return this.link.send(call, () => void this.server.rows.delete(this.idOf(key)))
      }
    },
  },
  {
    mistake: 'deleteByTag leaves the other tags in the index, for the next entry of that key',
    seenIn: 'coefficient/cache (Go)',
    rule: 'Tags',
    caughtBy: 'tags.after-deleteByTag',
    Backend: class extends TwinBackend {
      override removeTagged(tag: string, end: number): number {
        let removed = 0
        for (const row of this.rowsOf(this.server.index.get(this.tagId(tag)) ?? [])) {
          if (row.sequence >= end || removed === SLICE) break
          this.server.rows.delete(row.id)
          this.server.index.get(this.tagId(tag))?.delete(row.id)
          removed++
        }
        return removed
      }
    },
  },
  {
    mistake: 'clear leaves the index, for the next entry of that key',
    rule: 'Tags',
    caughtBy: 'tags.after-clear',
    Backend: class extends TwinBackend {
      override clear(call: Call): AsyncGenerator<number> {
        return this.inSlices(call, end => {
          let removed = 0
          for (const row of this.server.rows.values()) {
            if (row.sequence >= end || removed === SLICE) break
            if (this.owns(row) && this.server.rows.delete(row.id)) removed++
          }
          return removed
        })
      }
    },
  },
  {
    mistake: 'the tag set takes the ttl of the latest member, however short',
    seenIn: 'coefficient/cache (Go), laravel',
    rule: 'No residue',
    caughtBy: 'tags.short-lived-sibling',
    Backend: class extends TwinBackend {
      override write(key: string, value: Uint8Array, ttl: number, tags: readonly string[]): void {
        for (const tag of tags) this.#expire(tag)
        super.write(key, value, ttl, tags)
        const end = ttl === 0 ? Number.POSITIVE_INFINITY : now() + ttl * 2
        for (const tag of tags) tagSetEnds.set(this.tagId(tag), end)
      }
      override removeTagged(tag: string, end: number): number {
        this.#expire(tag)
        return super.removeTagged(tag, end)
      }
      #expire(tag: string): void {
        const id = this.tagId(tag)
        if ((tagSetEnds.get(id) ?? 0) < now()) this.server.index.delete(id)
      }
    },
  },
  {
    mistake: 'the tag set takes the ttl of its first member, and keeps it',
    rule: 'No residue',
    caughtBy: 'tags.mixed-ttls',
    Backend: class extends TwinBackend {
      override write(key: string, value: Uint8Array, ttl: number, tags: readonly string[]): void {
        super.write(key, value, ttl, tags)
        const end = ttl === 0 ? Number.POSITIVE_INFINITY : now() + ttl
        for (const tag of tags) {
          const id = this.tagId(tag)
          if ((firstEnds.get(id) ?? 0) < now()) {
            if (firstEnds.has(id)) this.server.index.set(id, new Set([this.idOf(key)]))
            firstEnds.set(id, end)
          }
        }
      }
      override removeTagged(tag: string, end: number): number {
        const id = this.tagId(tag)
        if ((firstEnds.get(id) ?? 0) < now()) this.server.index.delete(id)
        return super.removeTagged(tag, end)
      }
    },
  },
  {
    mistake: 'a sweep drops the whole tag set when one member expired',
    rule: 'No residue',
    caughtBy: 'residue.beside-a-long-life',
    Backend: class extends TwinBackend {
      override sweep(call: Call): AsyncGenerator<number> {
        return this.inSlices(call, end =>
          this.removeSome(this.server.rows.values(), end, row => {
            if (!this.owns(row) || !this.expired(row)) return false
            for (const tag of row.tags) this.server.index.delete(this.tagId(tag))
            return true
          }),
        )
      }
    },
  },
  {
    mistake: 'tags are marked deleted by the ms, and entries of the same ms count as older',
    seenIn: 'bentocache, FusionCache',
    rule: 'Order',
    caughtBy: 'tags.set-again-after',
    anywhere: true,
    Backend: MarkerBackend,
  },
  {
    mistake: 'tags are marked deleted by the clock of each process, and these differ',
    seenIn: 'bentocache, FusionCache',
    rule: 'Order',
    caughtBy: 'sharing.deleteByTag',
    anywhere: true,
    Backend: class extends MarkerBackend {
      readonly #skew = (this.handle % 2) * -60_000
      override clock(): number {
        return now() + this.#skew + performance.now() / 1e9
      }
    },
  },
  {
    mistake: 'only the first 1 000 members of a tag are removed',
    rule: 'Tags',
    caughtBy: 'tags.many-entries',
    Backend: class extends TwinBackend {
      override async *deleteByTag(tag: string, call: Call): AsyncGenerator<number> {
        let left = 1_000 / SLICE
        for await (const removed of super.deleteByTag(tag, call)) {
          yield removed
          if (--left === 0) return
        }
      }
    },
  },
  {
    mistake: 'over 8 000 members are too many for one statement',
    seenIn: 'Lua unpack',
    rule: 'Big work in slices',
    caughtBy: 'bulk.deleteByTag-ends',
    Backend: class extends TwinBackend {
      override removeTagged(tag: string, end: number): number {
        if ((this.server.index.get(this.tagId(tag))?.size ?? 0) > 8_000)
          throw new Error('too many results to unpack')
        return super.removeTagged(tag, end)
      }
    },
  },
  {
    mistake: 'deleteByTag goes on until nothing carries the tag any more',
    rule: 'Big work in slices',
    caughtBy: 'bulk.deleteByTag-ends',
    Backend: class extends TwinBackend {
      override async *deleteByTag(tag: string, call: Call): AsyncGenerator<number> {
        for (;;) {
          const removed = await this.link.send(call, () =>
            this.removeTagged(tag, Number.POSITIVE_INFINITY),
          )
          if (removed === 0) return
          yield removed
        }
      }
    },
  },
  {
    mistake: 'clear goes on until nothing is left',
    rule: 'Big work in slices',
    caughtBy: 'bulk.clear-ends',
    Backend: class extends TwinBackend {
      override async *clear(call: Call): AsyncGenerator<number> {
        for (;;) {
          const removed = await this.link.send(call, () =>
            this.removeSome(this.server.rows.values(), Number.POSITIVE_INFINITY, row =>
              this.owns(row),
            ),
          )
          if (removed === 0) return
          yield removed
        }
      }
    },
  },
  {
    mistake: 'tags are joined by commas',
    seenIn: 'langgraph, nextjs-cache-handler',
    rule: 'Tags',
    caughtBy: 'tags.joined',
    Backend: class extends TwinBackend {
      override tagsOf(tags: readonly string[]): readonly string[] {
        return tags.length === 0 ? [] : [...new Set(tags.join(',').split(','))]
      }
    },
  },
  {
    mistake: 'a tag reaches those that begin with it',
    rule: 'Tags',
    caughtBy: 'tags.prefixes-of-each-other',
    Backend: class extends TwinBackend {
      override removeTagged(tag: string, end: number): number {
        const rows = [...this.server.rows.values()]
        return this.removeSome(rows, end, row => {
          return this.owns(row) && row.tags.some(each => each.startsWith(tag))
        })
      }
    },
  },
  {
    mistake: 'an entry takes 64 tags at most',
    rule: 'Tags',
    caughtBy: 'tags.255',
    Backend: class extends TwinBackend {
      override tagsOf(tags: readonly string[]): readonly string[] {
        return tags.slice(0, 64)
      }
    },
  },
  {
    mistake: 'only the first tag of an entry is indexed',
    rule: 'Tags',
    caughtBy: 'tags.each-of-many',
    Backend: class extends TwinBackend {
      override tagsOf(tags: readonly string[]): readonly string[] {
        return tags.slice(0, 1)
      }
    },
  },
  {
    mistake: 'deleteByTag resolves first and removes in the background',
    rule: 'Order',
    caughtBy: 'order.deleteByTag-after-sets',
    anywhere: true,
    Backend: class extends TwinBackend {
      override async *deleteByTag(tag: string, call: Call): AsyncGenerator<number> {
        const background = async (): Promise<void> => {
          await elapse(5)
          for await (const _ of super.deleteByTag(tag, call));
        }
        background().catch(() => {})
      }
    },
  },
  {
    mistake: 'a younger set is killed by an older deleteByTag that cleans up once more',
    rule: 'Order',
    caughtBy: 'order.set-after-deleteByTag',
    anywhere: true,
    Backend: class extends TwinBackend {
      override async *deleteByTag(tag: string, call: Call): AsyncGenerator<number> {
        yield* super.deleteByTag(tag, call)
        setTimeout(() => {
          this.link
            .send(ALIVE, () => this.removeTagged(tag, Number.POSITIVE_INFINITY))
            .catch(() => {})
        }, 30)
      }
    },
  },
  {
    mistake: 'the tag list is read first, and its keys are deleted later, re-tagged or not',
    seenIn: 'coefficient/cache (Go), @keyv/postgres',
    rule: 'No orphans',
    caughtBy: 'concurrency.no-orphans',
    anywhere: true,
    Backend: class extends TwinBackend {
      override async *deleteByTag(tag: string, call: Call): AsyncGenerator<number> {
        const id = this.tagId(tag)
        const listed = await this.link.send(call, () => [...(this.server.index.get(id) ?? [])])
        for (let from = 0; from < listed.length; from += SLICE) {
          const slice = listed.slice(from, from + SLICE)
          await this.link.send(call, () => {
            for (const each of slice) this.server.rows.delete(each)
          })
          yield slice.length
        }
        // What was set meanwhile loses its place in the index, and stays readable.
        await this.link.send(call, () => this.server.index.delete(id))
      }
    },
  },
]

const tagSetEnds = new Map<string, number>()
const firstEnds = new Map<string, number>()
