import type { Backend, Slices } from '../../src/backend.js'
import { expiryOf, now } from '../../src/clock.js'
import type { ClosableAdapter } from '../../src/conformance/index.js'
import { GuardedAdapter } from '../../src/guarded-adapter.js'

export interface Row {
  readonly prefix: string
  readonly key: string
  readonly value: Uint8Array
  readonly expiry: number
  tags: readonly string[]
}

/**
 * A right adapter in the fewest words, over one list of rows: what a mutant differs from in a few
 * lines. It shares no code with MemoryAdapter, so that it checks the kit independently.
 */
export class TwinBackend implements Backend {
  constructor(
    readonly prefix: string,
    protected readonly rows: Map<string, Row>,
  ) {}

  /** What a row is stored under. */
  protected id(key: string): string {
    return JSON.stringify([this.prefix, key])
  }

  /** Whether a row lives under this prefix. */
  protected owns(row: Row): boolean {
    return row.prefix === this.prefix
  }

  protected expired(row: Row): boolean {
    return row.expiry <= now()
  }

  protected tagsFor(_key: string, tags: readonly string[]): readonly string[] {
    return tags
  }

  get(key: string): Uint8Array | undefined {
    const row = this.rows.get(this.id(key))
    return row === undefined || this.expired(row) ? undefined : row.value
  }

  set(key: string, value: Uint8Array, ttl: number, tags: readonly string[]): void {
    const row = {
      prefix: this.prefix,
      key,
      value,
      expiry: expiryOf(ttl),
      tags: this.tagsFor(key, tags),
    }
    this.rows.set(this.id(key), row)
  }

  delete(key: string): void {
    this.rows.delete(this.id(key))
  }

  deleteByTag(tag: string): Slices {
    return [this.remove(row => this.owns(row) && row.tags.includes(tag))]
  }

  clear(): Slices {
    return [this.remove(row => this.owns(row))]
  }

  ping(): void {}

  close(): void {}

  protected remove(matches: (row: Row) => boolean): number {
    let removed = 0
    for (const [id, row] of this.rows) if (matches(row) && this.rows.delete(id)) removed++
    return removed
  }
}

/** What a mutant replaces: the backend class. */
export type BackendClass = new (prefix: string, rows: Map<string, Row>) => Backend

/** Opens handles of `Class` that share their rows. */
export function openOf(Class: BackendClass): (namespace: string) => ClosableAdapter {
  const rows = new Map<string, Row>()
  return prefix => new GuardedAdapter({ prefix }, () => new Class(prefix, rows))
}
