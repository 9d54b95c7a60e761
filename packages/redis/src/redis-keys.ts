/**
 * Entries are spread over this many buckets, each with a fence and an index of its own. Constant: two
 * values in one fleet would be two caches that don't see each other. More of them cost `deleteByTag`
 * of a rare tag time (it asks each), fewer leave less to spread over the nodes of a cluster.
 */
export const BUCKETS = 64

/**
 * What everything under one prefix is called in Redis. `{b}` is the number of a bucket in braces,
 * which keep all of a bucket in one slot of a cluster:
 *
 * - `<prefix>{b}k<key>` a record: an entry;
 * - `<prefix>{b}f` the bucket's fence, `<prefix>{b}x` its index (see `redis-scripts.ts`);
 * - `<prefix>{b}d<epoch>` a draft: a large value on its way to become a record.
 *
 * Braces in the prefix are written `%7B` and `%7D`, and `%` is `%25`. So the first brace is ours, which
 * is what the slot is computed of, and ends the prefix: no two pairs of prefix and key are alike.
 */
export class Keyspace {
  readonly #prefix: string
  readonly #buckets: readonly string[]

  constructor(prefix: string) {
    this.#prefix = prefix.replace(/[%{}]/g, escaped => ESCAPES[escaped] ?? escaped)
    this.#buckets = Array.from({ length: BUCKETS }, (_, bucket) => `${this.#prefix}{${bucket}}`)
  }

  record(bucket: number, key: string): string {
    return `${this.#buckets[bucket]}k${key}`
  }

  fence(bucket: number): string {
    return `${this.#buckets[bucket]}f`
  }

  index(bucket: number): string {
    return `${this.#buckets[bucket]}x`
  }

  draft(bucket: number, epoch: string): string {
    return `${this.#buckets[bucket]}d${epoch}`
  }

  /** Is never there for longer than the script that proves that Redis takes writes. */
  probe(bucket: number): string {
    return `${this.#buckets[bucket]}p`
  }

  /** Where in the bytes of {@link record} the key begins, counted from 1 as Lua does. */
  keyStart(bucket: number): string {
    return String(Buffer.byteLength(`${this.#buckets[bucket]}k`) + 1)
  }

  /** For SCAN: matches all that {@link bucketOfName} knows, and little else. */
  get pattern(): string {
    return `${this.#prefix.replace(/[*?[\]\\]/g, '\\$&')}{*`
  }

  /** The bucket of something that is called `name` in Redis; `undefined` where it is not ours. */
  bucketOfName(name: string): number | undefined {
    if (!name.startsWith(this.#prefix)) return undefined
    const [, number] = /^\{(0|[1-9]\d?)\}(?:k|d|[fxp]$)/.exec(name.slice(this.#prefix.length)) ?? []
    return number !== undefined && Number(number) < BUCKETS ? Number(number) : undefined
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '%': '%25', '{': '%7B', '}': '%7D' }

/** The bucket of a key. Stored data depends on it: 32-bit FNV-1a of its UTF-16 units, folded. */
export function bucketOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 15) ^ (hash >>> 24)) & (BUCKETS - 1)
}
