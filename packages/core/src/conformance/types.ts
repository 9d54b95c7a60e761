import type { Adapter } from '../adapter.js'
import type { Awaitable } from '../backend.js'

/** An adapter under test: the contract, and the `close()` that every concrete adapter has. */
export interface ClosableAdapter extends Adapter {
  close(): Promise<void>
}

/** What the kit needs to know of the adapter under test. */
export interface Subject {
  /**
   * Opens a handle on real storage, with `namespace` as its whole prefix, to the letter: the kit
   * puts hostile characters into it. Handles of one namespace share data; others never do.
   * The kit closes what it opened.
   */
  open(namespace: string): Awaitable<ClosableAdapter>
  /**
   * Cases that this adapter is known to fail, by id, each with a reason. One that passes after all
   * fails the run, so the list cannot rot.
   */
  readonly deviations?: Readonly<Record<string, { readonly reason: string }>> | undefined
  /** Replays the randomised cases of an earlier run. Default: a new one each run. */
  readonly seed?: number | undefined
}

/** How binding a case is. */
export type Level = 'MUST' | 'SHOULD'

/** One thing that an adapter does or does not do. Run it in any test runner, or in none. */
export interface Case {
  /** Stable: `group.name`. */
  readonly id: string
  readonly group: string
  /** The rule of the contract that it tests, as `README.md` of this package names it. */
  readonly rule: string
  readonly level: Level
  /** For a test runner: level, id and what must hold. */
  readonly title: string
  /** Rejects with an error that tells what was done, expected and seen. Ends within 60 s. */
  run(): Promise<void>
}
