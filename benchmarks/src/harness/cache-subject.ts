import type { Place } from './subject.js'

/**
 * A cache that makes what it does not have, called as its users call it. Where its calls answer at
 * once (`isSync`), the harness does not await them.
 */
export interface CacheSubject {
  readonly isSync?: true
  /** The value, or `undefined` or `null` where there is none. */
  get(key: string): unknown
  /** Stores an entry that expires after {@link TTL}, as {@link getOrSet} does, where the cache can. */
  set(key: string, value: object): unknown
  getOrSet(key: string, make: Make): unknown
  /** Absent where the cache has no tags, as are the works that need them. */
  setTagged?(key: string, value: object, tags: string[]): unknown
  getOrSetTagged?(key: string, make: Make, tags: string[]): unknown
  deleteByTag?(tag: string): unknown
  delete(key: string): unknown
  close?(): unknown
}

/** What makes a value: it costs nothing, so that what remains is the cache. */
export type Make = (key: string) => object

/** Where a cache keeps its entries. */
export interface CachePlace extends Place {
  /** How many entries its memory is to hold. */
  readonly maxEntries: number
  /** Whether there will be tags, for caches that must be told. */
  readonly tags: boolean
}

/** What a subject's file exports, once for each way to set its cache up. */
export type OpenCache = (place: CachePlace) => CacheSubject | Promise<CacheSubject>
