/** One kind of call that is measured. */
export interface Work {
  /** Outside of the time, before each slice: what the calls need is there. */
  prepare?(): Promise<void>
  /** One step; `undefined` where there is nothing left to do before the next {@link prepare}. */
  step(): unknown
  /**
   * How many calls a step is, one after the other: 1, but for calls that take no longer than looking
   * at the clock.
   */
  readonly calls?: number
  /** How many calls may be spent on warming up, where {@link prepare} makes room for so many only. */
  readonly spare?: number
  /** Throws where a step's answer is not what it must be. */
  check?(answer: unknown): void
}
