import { type BackendClass, type Row, TwinBackend } from './twin.js'

/** A broken adapter: one real mistake, and the case whose rule it breaks. */
export interface Mutant {
  readonly mistake: string
  readonly caughtBy: string
  readonly Class: BackendClass
}

export const mutants: readonly Mutant[] = [
  {
    mistake: 'the ttl is ignored',
    caughtBy: 'ttl.interval',
    Class: class extends TwinBackend {
      protected override expired(): boolean {
        return false
      }
    },
  },
  {
    mistake: 'tags are kept after a re-set',
    caughtBy: 'tags.old-tags-go',
    Class: class extends TwinBackend {
      protected override tagsFor(key: string, tags: readonly string[]): readonly string[] {
        return [...tags, ...(this.rows.get(this.id(key))?.tags ?? [])]
      }
    },
  },
  {
    mistake: 'the prefix is matched as a pattern',
    caughtBy: 'isolation.prefixes-like',
    Class: class extends TwinBackend {
      protected override owns(row: Row): boolean {
        const pattern = this.prefix.replaceAll('%', '.*').replaceAll('_', '.')
        return new RegExp(`^${pattern.replace(/[\\()[\]{}^$+?|]/g, '\\$&')}$`, 's').test(row.prefix)
      }
    },
  },
]
