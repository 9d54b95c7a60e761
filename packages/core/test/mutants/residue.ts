import type { Call } from '../../src/backend.js'
import type { Mutant } from './mutant.js'
import type { Row } from './server.js'
import { TwinBackend } from './twin.js'

export const residue: readonly Mutant[] = [
  {
    mistake: 'expired entries leave their tags in the index',
    seenIn: 'laravel, Symfony, Magento, nextjs-cache-handler',
    rule: 'No residue',
    caughtBy: 'residue.expiry',
    Backend: class extends TwinBackend {
      override sweep(call: Call): AsyncGenerator<number> {
        return this.inSlices(call, () => {
          let removed = 0
          for (const row of this.server.rows.values())
            if (this.owns(row) && this.expired(row) && this.server.rows.delete(row.id)) removed++
          return Math.min(removed, 1)
        })
      }
      // A right one looks again whether the member still carries the tag.
      override removeTagged(tag: string, end: number): number {
        const ids = [...(this.server.index.get(this.tagId(tag)) ?? [])]
        const rows = [...this.rowsOf(ids)].filter(row => row.tags.includes(tag))
        return this.removeSome(rows, end, () => true)
      }
    },
  },
  {
    mistake: 'a deleted entry leaves its tags in the index',
    rule: 'No residue',
    caughtBy: 'residue.delete',
    Backend: class extends TwinBackend {
      override delete(key: string, call: Call): Promise<void> {
        return this.link.send(call, () => void this.server.rows.delete(this.idOf(key)))
      }
      override removeTagged(tag: string, end: number): number {
        const ids = [...(this.server.index.get(this.tagId(tag)) ?? [])]
        const rows = [...this.rowsOf(ids)].filter(row => row.tags.includes(tag))
        return this.removeSome(rows, end, () => true)
      }
    },
  },
  {
    mistake: 'tags without members stay in the index',
    seenIn: 'laravel',
    rule: 'No residue',
    caughtBy: 'residue.deleteByTag',
    Backend: class extends TwinBackend {
      override unindex(row: Row): void {
        for (const tag of row.tags) this.server.index.get(this.tagId(tag))?.delete(row.id)
      }
    },
  },
  {
    mistake: 'clear leaves the index, and looks at each member again later',
    rule: 'No residue',
    caughtBy: 'residue.clear',
    Backend: class extends TwinBackend {
      override clear(call: Call): AsyncGenerator<number> {
        return this.inSlices(call, end => {
          const rows = [...this.server.rows.values()].filter(
            row => this.owns(row) && row.sequence < end,
          )
          for (const row of rows) this.server.rows.delete(row.id)
          return Math.min(rows.length, 1)
        })
      }
      override removeTagged(tag: string, end: number): number {
        const ids = [...(this.server.index.get(this.tagId(tag)) ?? [])]
        const rows = [...this.rowsOf(ids)].filter(row => row.tags.includes(tag))
        return this.removeSome(rows, end, () => true)
      }
    },
  },
  {
    mistake: 'tags that an entry no longer has stay in the index, and are looked at again later',
    seenIn: 'next-shared-cache',
    rule: 'No residue',
    caughtBy: 'residue.new-tags-each-time',
    Backend: class extends TwinBackend {
      override write(key: string, value: Uint8Array, ttl: number, tags: readonly string[]): void {
        this.server.rows.delete(this.idOf(key))
        super.write(key, value, ttl, tags)
      }
      override removeTagged(tag: string, end: number): number {
        const ids = [...(this.server.index.get(this.tagId(tag)) ?? [])]
        const rows = [...this.rowsOf(ids)].filter(row => row.tags.includes(tag))
        return this.removeSome(rows, end, () => true)
      }
    },
  },
  {
    mistake: 'each set adds a member, also for the same tags',
    rule: 'No residue',
    caughtBy: 'residue.same-tags-again',
    Backend: class extends TwinBackend {
      override index(row: Row): void {
        super.index(row)
        for (const tag of row.tags)
          this.server.index.get(this.tagId(tag))?.add(`${row.id}#${row.sequence}`)
      }
      override unindex(row: Row): void {
        for (const tag of row.tags) {
          const members = this.server.index.get(this.tagId(tag))
          members?.delete(row.id)
          if ([...(members ?? [])].every(id => id.includes('#')))
            this.server.index.delete(this.tagId(tag))
        }
      }
      override write(key: string, value: Uint8Array, ttl: number, tags: readonly string[]): void {
        const old = this.server.rows.get(this.idOf(key))
        if (old !== undefined && `${old.tags}` === `${tags}`) {
          this.server.rows.delete(old.id)
        }
        super.write(key, value, ttl, tags)
      }
    },
  },
]
