import type { Mutant } from './mutant.js'
import type { Row } from './server.js'
import { TwinBackend } from './twin.js'

/** A backend whose `clear` removes the rows under prefixes that `matches` takes for its own. */
const clearing = (matches: (own: string, other: string) => boolean): typeof TwinBackend =>
  class extends TwinBackend {
    override owns(row: Row): boolean {
      return matches(this.prefix, row.prefix)
    }
  }

/** `prefix` as a pattern of which some characters are wild. */
const pattern = (prefix: string, wild: (character: string) => string | undefined): RegExp =>
  new RegExp(`^${[...prefix].map(one => wild(one) ?? literal(one)).join('')}$`, 's')

const literal = (character: string): string => character.replace(/[\\()[\]{}^$+?|.*]/g, '\\$&')

export const isolation: readonly Mutant[] = [
  {
    mistake: 'the prefix is a LIKE pattern',
    seenIn: '@keyv/postgres, bentocache',
    rule: 'Isolation',
    caughtBy: 'isolation.prefixes-like',
    Backend: clearing((own, other) =>
      pattern(own, one => (one === '%' ? '.*' : one === '_' ? '.' : undefined)).test(other),
    ),
  },
  {
    mistake: 'the prefix is a glob pattern',
    seenIn: '@keyv/redis, bentocache, async-cache-dedupe',
    rule: 'Isolation',
    caughtBy: 'isolation.prefixes-glob',
    Backend: clearing((own, other) =>
      pattern(own, one => (one === '*' ? '.*' : one === '?' ? '.' : undefined)).test(other),
    ),
  },
  {
    mistake: 'the prefix is a regular expression',
    rule: 'Isolation',
    caughtBy: 'isolation.prefixes-regex',
    Backend: clearing((own, other) =>
      pattern(own, one => ('.+'.includes(one) ? one : undefined)).test(other),
    ),
  },
  {
    mistake: 'a prefix includes the prefixes that begin with it',
    seenIn: 'bentocache',
    rule: 'Isolation',
    caughtBy: 'isolation.prefixes-contained',
    Backend: clearing((own, other) => other.startsWith(own)),
  },
  {
    mistake: 'clear empties the whole backend',
    seenIn: 'async-cache-dedupe',
    rule: 'Isolation',
    caughtBy: 'isolation.prefixes-apart',
    Backend: clearing(() => true),
  },
  {
    mistake: 'prefixes are compared without case',
    rule: 'Isolation',
    caughtBy: 'isolation.prefixes-quotes',
    Backend: clearing((own, other) => own.toLowerCase() === other.toLowerCase()),
  },
  {
    mistake: 'braces in a prefix are dropped',
    rule: 'Isolation',
    caughtBy: 'isolation.prefixes-braces',
    Backend: class extends TwinBackend {
      override idOf(key: string): string {
        return JSON.stringify([this.prefix.replace(/[{}]/g, ''), key])
      }
    },
  },
  {
    mistake: 'prefix and key are joined to one string',
    seenIn: 'keyv, bentocache',
    rule: 'Isolation',
    caughtBy: 'isolation.prefix-and-key',
    Backend: class extends TwinBackend {
      override idOf(key: string): string {
        return this.prefix + key
      }
    },
  },
  {
    mistake: 'tags have no prefix',
    seenIn: 'coefficient/cache (Go)',
    rule: 'Isolation',
    caughtBy: 'isolation.prefixes-apart',
    Backend: class extends TwinBackend {
      override removeTagged(tag: string, end: number): number {
        let removed = 0
        for (const row of [...this.server.rows.values()]) {
          if (row.sequence >= end || !row.tags.includes(tag)) continue
          this.remove(row)
          removed++
        }
        // Fewer than a slice: that was all.
        return removed > 0 ? 1 : 0
      }
    },
  },
  {
    mistake: 'clear removes only what carries a tag',
    rule: 'Isolation',
    caughtBy: 'isolation.clear-takes-all',
    Backend: class extends TwinBackend {
      override owns(row: Row): boolean {
        return super.owns(row) && row.tags.length > 0
      }
    },
  },
]
