import type { Parts } from './twin.js'

/** A broken adapter: one mistake that somebody really made, or would. */
export interface Mutant extends Parts {
  readonly mistake: string
  /** The rule of the contract that it breaks. */
  readonly rule: string
  /** A case of that rule which has to reject it. */
  readonly caughtBy: string
  /** Where the mistake was seen. */
  readonly seenIn?: string
  /** It shows wherever calls meet in time: which groups see it differs from run to run. */
  readonly anywhere?: true
}
