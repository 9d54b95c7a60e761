import type { Adapter, Capabilities } from '../adapter.js'
import type { Awaitable } from '../backend.js'

/** An adapter under test: the contract, and the `close()` that every concrete adapter has. */
export interface ClosableAdapter extends Adapter {
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * What the kit needs to know of the adapter under test.
 *
 * All namespaces of a case begin alike, with `kit:`, 12 hexadecimal digits and `:`. Hooks are given
 * that beginning alone: it is a namespace of its own, and `cut`, `stall` and `restore` are about all
 * that begin with it.
 */
export interface Subject {
  /**
   * Opens a handle on real storage, with `namespace` as its whole prefix, to the letter: the kit
   * puts hostile characters into it. Handles of one namespace share data; others never do.
   * The kit closes what it opened.
   */
  open(namespace: string): Awaitable<ClosableAdapter>
  /** What the adapters of `open` declare as `capabilities`. Default: everything. */
  readonly capabilities?: Capabilities | undefined
  /** The `timeout` of the adapters that `open` gives, in ms. Default 5 000, as theirs. */
  readonly timeout?: number | undefined
  /** Opens a handle with an empty prefix. The kit only calls what has to be refused there. */
  openUnprefixed?(): Awaitable<ClosableAdapter>
  /** Opens a handle as `open` does, but in another process. */
  openElsewhere?(namespace: string): Awaitable<ClosableAdapter>
  /**
   * How many records of bookkeeping are left under `namespace`: tag rows, index members and what
   * else is kept beside values, without the constant part.
   */
  residue?(namespace: string): Awaitable<number>
  /** Has expired entries and dead bookkeeping removed now. */
  sweep?(namespace: string): Awaitable<unknown>
  /** Cuts the backend off: every call fails from now on, at once or at its deadline. */
  cut?(namespace: string): Awaitable<unknown>
  /** Makes the backend hang: it answers nothing, and gives no error either. */
  stall?(namespace: string): Awaitable<unknown>
  /** Ends what `cut` or `stall` began. */
  restore?(namespace: string): Awaitable<unknown>
  /**
   * Lets another process set `key` again and again, each time with another value and with the tags
   * `${key}:0`, `${key}:1` or `${key}:2` in turn, and kills it in the middle, at a random moment.
   * A value is the number of its tag as one byte, 1 000 times. Resolves when the backend has done,
   * or dropped, what that process had sent.
   */
  crash?(namespace: string, key: string): Awaitable<unknown>
  /**
   * Cases that this adapter is known to fail, by id, each with a reason. One that passes after all
   * fails the run, so the list cannot rot.
   */
  readonly deviations?: Readonly<Record<string, { readonly reason: string }>> | undefined
  /** Replays the randomised cases of an earlier run. Default: a new one each run. */
  readonly seed?: number | undefined
}

/** What a case tests: an operation of the contract, or closing. */
export type Operation = keyof Omit<Adapter, 'capabilities'> | 'close'

/** What a subject may offer beyond `open`, and a case may need. */
export type Hook = Exclude<
  keyof Subject,
  'open' | 'capabilities' | 'deviations' | 'seed' | 'timeout'
>

/** How binding a case is. */
export type Level = 'MUST' | 'SHOULD'

/** One thing that an adapter does or does not do. Run it in any test runner, or in none. */
export interface Case {
  /** Stable: `group.name`. */
  readonly id: string
  readonly group: string
  /** The rule of the contract that it tests, as `README.md` of this package names it. */
  readonly rule: string
  readonly operations: readonly Operation[]
  readonly level: Level
  /** For a test runner: level, id and what must hold. */
  readonly title: string
  /** Why it can't be run on this subject; then `run()` rejects. Absent where it can. */
  readonly skip?: string
  /** Why this adapter may fail it. */
  readonly deviation?: string
  /**
   * Rejects with an error that tells what was done, expected and seen. Settles within a minute or
   * so. With a deviation, it rejects when the adapter does not deviate.
   */
  run(): Promise<void>
}
