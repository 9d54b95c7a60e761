import type { Outcome } from './log.js'
import type { Work } from './work.js'

/** One call, as its logs tell it. */
export interface Call {
  readonly work: Work
  /** The process that made it, and which of its adapters. */
  readonly process: string
  readonly instance: string
  /** Its place among the calls of its process. */
  readonly n: number
  /** ns. */
  readonly begin: number
  /** ns; infinite where it never settled. */
  readonly end: number
  /** Absent where it never settled. */
  readonly outcome?: Outcome
}

/** What a set wrote: the values that it stores say this. */
export const idOf = (call: Pick<Call, 'process' | 'n'>): string => `${call.process}#${call.n}`

/** Something that was done to a worker or the backend, and how long its effects last. */
export interface Incident {
  readonly name: string
  readonly begin: number
  readonly end: number
  /** The worker that it hit. Absent: all of them. */
  readonly process?: string
  /** Codes that calls during it may fail with. */
  readonly causes?: readonly string[]
  /** Whether any entry may have gone by it. */
  readonly loses?: boolean
}

/** All that happened in one round. */
export interface History {
  readonly calls: readonly Call[]
  /** When an instance or a process was gone, by their names, in ns: nothing takes effect later. */
  readonly gone: ReadonlyMap<string, number>
  readonly incidents: readonly Incident[]
}

/** A promise that was broken, and the calls that show it. */
export interface Finding {
  readonly rule: Rule
  readonly message: string
  readonly calls: readonly Call[]
}

export type Rule =
  | 'stale'
  | 'ghost'
  | 'lost'
  | 'expired'
  | 'torn'
  | 'order'
  | 'error'
  | 'hang'
  | 'crash'
  | 'storage'
  | 'residue'
  | 'vacuous'

/** What a backend's documentation grants it beyond the contract. */
export interface Allowances {
  /** How long one round trip may take, in ms: the adapters' `timeout`. */
  readonly timeout: number
  /** How long the calls of a process that is gone may still take effect, in ms. Default 0. */
  readonly lingering?: number
  /**
   * How long a call that its caller gave up may still take effect, in ms. Default: as long as its
   * adapter is open.
   */
  readonly givenUp?: number
  /**
   * Whether a call may fail so when nothing is broken, as one of an adapter whose timeout is short
   * enough to be exceeded on purpose. Default: none.
   */
  excuses?(code: string, message: string): boolean
}
