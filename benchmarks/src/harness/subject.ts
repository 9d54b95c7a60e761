/**
 * One cache that is measured, over a store of its own. It is opened in a process of its own and
 * called as its users call it: each method is one call of its API, awaited by the harness.
 */
export interface Subject {
  /**
   * A value of these bytes in the form that this cache stores best, where that isn't bytes. Made
   * before the time is taken; `get` answers the same form.
   */
  toValue?(bytes: Uint8Array): unknown
  /** The value, or `undefined` or `null` where there is none. */
  get(key: string): Promise<unknown>
  /** Stores an entry that expires after {@link TTL}, where the cache can. */
  set(key: string, value: unknown): Promise<unknown>
  /** Absent where the cache has no tags, as are the works that need them. */
  setTagged?(key: string, value: unknown, tags: string[]): Promise<unknown>
  delete(key: string): Promise<unknown>
  deleteByTag?(tag: string): Promise<unknown>
  /** What its store takes, in bytes, where that isn't the files in its folder. */
  usedBytes?(): Promise<number>
  /** Writes what it still holds back, so that the size of its files is known. */
  close(): Promise<unknown>
}

/** Long enough that nothing expires while it is measured, in ms. */
export const TTL = 3_600_000

/** Where a subject keeps its data. */
export interface Place {
  /** An empty folder of the subject's own. Its name serves as a prefix on a server, too. */
  readonly folder: string
}

/** What a subject's file exports, once for each way to set its cache up. */
export type Open = (place: Place) => Subject | Promise<Subject>

/** A row of the results: a subject and where its code is. */
export interface Row {
  /** What `--subjects` calls it. */
  readonly id: string
  /** What the results call it. */
  readonly title: string
  /** The file in `subjects/`, or in `../peers/`, without its ending. */
  readonly file: string
  /** It is in `../peers/`, and made of these packages there, which are installed when first needed. */
  readonly peer?: readonly string[]
  /** It needs a native module that takes minutes to compile. */
  readonly native?: boolean
  /** The name that this file exports the {@link Open} under. Default: `open`. */
  readonly open?: string
  /** Entries of each kind, where filling its store with as many as others have takes minutes. */
  readonly entries?: number
  /** What a reader must know to judge the figures. */
  readonly note?: string
}
