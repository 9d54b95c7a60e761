import type { Call } from '../../src/backend.js'
import { now } from '../../src/clock.js'
import { elapse } from '../../src/conformance/context.js'
import type { Mutant } from './mutant.js'
import type { Row } from './server.js'
import { TwinBackend } from './twin.js'

export const expiry: readonly Mutant[] = [
  {
    mistake: 'the ttl is ignored',
    rule: 'Expiry',
    caughtBy: 'ttl.interval',
    Backend: class extends TwinBackend {
      override expired(): boolean {
        return false
      }
    },
  },
  {
    mistake: 'the ttl counts whole seconds, rounded up',
    seenIn: 'unstorage, langgraph',
    rule: 'Expiry',
    caughtBy: 'ttl.interval',
    Backend: class extends TwinBackend {
      override expiryOf(ttl: number, old: Row | undefined): number {
        return super.expiryOf(Math.ceil(ttl / 1_000) * 1_000, old)
      }
    },
  },
  {
    mistake: 'the ttl counts whole seconds, rounded down',
    rule: 'Expiry',
    caughtBy: 'ttl.interval',
    Backend: class extends TwinBackend {
      override expiryOf(ttl: number, old: Row | undefined): number {
        return ttl === 0 ? super.expiryOf(0, old) : now() + Math.floor(ttl / 1_000) * 1_000
      }
    },
  },
  {
    mistake: 'a ttl of 0 expires at once',
    seenIn: 'async-cache-dedupe',
    rule: 'Expiry',
    caughtBy: 'ttl.zero-is-never',
    Backend: class extends TwinBackend {
      override expiryOf(ttl: number): number {
        return now() + ttl
      }
    },
  },
  {
    mistake: 'a set without ttl keeps the old one',
    rule: 'Expiry',
    caughtBy: 'ttl.never-replaces',
    Backend: class extends TwinBackend {
      override expiryOf(ttl: number, old: Row | undefined): number {
        return ttl === 0 && old !== undefined ? old.expiry : super.expiryOf(ttl, old)
      }
    },
  },
  {
    mistake: 'a second set does not renew the ttl',
    rule: 'Expiry',
    caughtBy: 'ttl.longer-replaces',
    Backend: class extends TwinBackend {
      override expiryOf(ttl: number, old: Row | undefined): number {
        return old !== undefined && !this.expired(old) ? old.expiry : super.expiryOf(ttl, old)
      }
    },
  },
  {
    mistake: 'a ttl never gets shorter',
    rule: 'Expiry',
    caughtBy: 'ttl.shorter-replaces',
    Backend: class extends TwinBackend {
      override expiryOf(ttl: number, old: Row | undefined): number {
        return Math.max(super.expiryOf(ttl, old), old?.expiry ?? 0)
      }
    },
  },
  {
    mistake: 'a ttl over 31 bits overflows, as a timer does',
    rule: 'Expiry',
    caughtBy: 'ttl.longest',
    Backend: class extends TwinBackend {
      override expiryOf(ttl: number, old: Row | undefined): number {
        return super.expiryOf(ttl > 2 ** 31 - 1 ? 1 : ttl, old)
      }
    },
  },
  {
    mistake: 'reading renews the ttl',
    rule: 'Expiry',
    caughtBy: 'ttl.reading-does-not-renew',
    Backend: class extends TwinBackend {
      readonly #ttls = new Map<string, number>()
      override write(key: string, value: Uint8Array, ttl: number, tags: readonly string[]): void {
        this.#ttls.set(key, ttl)
        super.write(key, value, ttl, tags)
      }
      override read(key: string): Uint8Array | undefined {
        const row = this.server.rows.get(this.idOf(key))
        const value = super.read(key)
        const ttl = this.#ttls.get(key) ?? 0
        if (row !== undefined && value !== undefined && ttl > 0) row.expiry = now() + ttl
        return value
      }
    },
  },
  {
    mistake: 'each process expires by its own clock, which is off by a minute',
    seenIn: 'bentocache',
    rule: 'Expiry',
    caughtBy: 'ttl.other-handle',
    anywhere: true,
    Backend: class extends TwinBackend {
      readonly #skew = this.handle % 2 ? 60_000 : 0
      override expiryOf(ttl: number, old: Row | undefined): number {
        return super.expiryOf(ttl, old) + (ttl === 0 ? 0 : this.#skew)
      }
      override expired(row: Row): boolean {
        return row.expiry <= now() + this.#skew
      }
    },
  },
  {
    mistake: 'a get that met an expired entry deletes the key, whatever is there by now',
    seenIn: 'keyv, bentocache',
    rule: 'Expiry',
    caughtBy: 'concurrency.expired-read-beside-set',
    anywhere: true,
    Backend: class extends TwinBackend {
      override async get(key: string, call: Call): Promise<Uint8Array | undefined> {
        const row = await this.link.send(call, () => this.server.rows.get(this.idOf(key)))
        if (row === undefined) return undefined
        if (!this.expired(row)) return row.value
        await this.delete(key, call)
        return undefined
      }
    },
  },
  {
    mistake: 'entries expire when they are swept, up to 50 ms late',
    rule: 'Expiry',
    caughtBy: 'ttl.interval',
    Backend: class extends TwinBackend {
      override expired(row: Row): boolean {
        return row.expiry <= now() - 50
      }
    },
  },
  {
    mistake: 'a sweep takes entries without ttl for expired long ago',
    rule: 'Expiry',
    caughtBy: 'residue.sweep-keeps-the-living',
    Backend: class extends TwinBackend {
      override sweep(call: Call): AsyncGenerator<number> {
        return this.inSlices(call, end =>
          this.removeSome(this.server.rows.values(), end, row => {
            return this.owns(row) && (this.expired(row) || row.expiry === Number.MAX_SAFE_INTEGER)
          }),
        )
      }
    },
  },
  {
    mistake: 'a sweep lists first and removes what it listed later, set again or not',
    rule: 'No orphans',
    caughtBy: 'residue.sweep-beside-sets',
    Backend: class extends TwinBackend {
      override async *sweep(call: Call): AsyncGenerator<number> {
        const listed = await this.link.send(call, () =>
          [...this.server.rows.values()].filter(row => this.owns(row) && this.expired(row)),
        )
        await elapse(1)
        for (const { key } of listed) await this.delete(key, call)
        yield listed.length
      }
    },
  },
]
