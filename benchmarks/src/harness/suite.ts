import type { Running } from './running.js'
import type { Place } from './subject.js'
import type { Work } from './work.js'

/**
 * A kind of subjects: what they can do, and how it is known that they do it rightly.
 *
 * @typeParam Make what a subject's file exports.
 */
export interface Suite<Make = unknown> {
  /** What a subject's process finds it by. */
  readonly name: 'store' | 'memory' | 'hybrid'
  /** What is measured, by the names that `--only` knows. */
  readonly works: Readonly<Record<string, string>>
  /** How many calls are made at once, where `--concurrency` does not say. */
  readonly concurrency: string
  /** Length of a slice in ms, where `--ms` does not say: code is to be compiled after the first. */
  readonly ms: string
  /**
   * After how many rounds new processes take over, each time for one work alone; `undefined`: one
   * process for everything. Calls of less than a µs depend on what the process did before, and on
   * where its memory happens to be; those of a store do not, and filling it takes time.
   */
  readonly renewal?: number
  /** What is told beside the works. */
  readonly extra: Extra
  /** Opens a subject, in its process. */
  open(make: Make, place: Place, count: number): Promise<Opened>
}

/** A section of the page that is not about the time of calls. */
export interface Extra {
  /** What `--only` calls it. */
  readonly name: string
  tell(running: readonly Running[], folderOf: (name: string) => string): Promise<string>
}

/** What the process of a subject can do with it. */
export interface Opened {
  /** By their names. */
  readonly works: Readonly<Record<string, Work>>
  /** Rejects where the subject answers wrongly. */
  verify(): Promise<void>
  /** What an {@link Extra} asks for. @param place another empty one. */
  readonly figures: Readonly<Record<string, (place: Place) => number | Promise<number>>>
}
