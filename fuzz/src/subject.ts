import type { Crew } from './crew.js'
import type { Allowances } from './history.js'
import type { Random } from './random.js'

/** A backend under test. */
export interface Subject extends Allowances {
  /** What `pnpm fuzz` calls it. */
  readonly name: string
  /**
   * URL of a module that every worker imports. It exports `open(config)`, which makes an adapter of
   * a stage's config.
   */
  readonly module: string
  /**
   * Whether entries may go by themselves, as by eviction: then some have to, or a run shows
   * nothing. Default `false`.
   */
  readonly mayLose?: boolean
  /** How many times larger values are than elsewhere: to fill what is bounded. Default 1. */
  readonly scale?: number
  /** Whether a run has to find something, and ends when it did, as with a planted bug. */
  readonly hasBug?: boolean
  /** What can happen to it, beside what can happen to workers of any backend. */
  readonly faults: readonly Fault[]
  /** Makes a new, empty place for one round. */
  stage(): Promise<Stage>
}

/** Where one round happens. */
export interface Stage {
  /** For the module's `open`; goes to other processes as JSON. */
  readonly config: unknown
  /** The same for who looks at what is left, when nothing is broken any more. Default: `config`. */
  readonly calm?: unknown
  /** Looks into the storage, while nobody works, for what must never be there. */
  inspect(): Promise<readonly string[]>
  /** Sweeps, and counts what is left of the bookkeeping. Called when no entry is left. */
  residue(): Promise<number>
  /** Removes it. */
  close(): Promise<void>
}

/** A way to break something. */
export interface Fault {
  readonly name: string
  /** Codes that calls may fail with meanwhile. Default: none. */
  readonly causes?: readonly string[]
  /** Whether entries may be gone afterwards, as after the crash of an unlogged table. */
  readonly loses?: boolean
  /** Breaks it, waits as long as it likes, and mends it. */
  inject(scene: Scene): Promise<void>
}

/** What a fault can get hold of. */
export interface Scene {
  readonly config: unknown
  /** The numbers of this fault: what it does is to follow from them. */
  readonly random: Random
  readonly crew: Crew
  /** Tells of something in the storage that must never be there. */
  readonly found: (message: string) => void
}
