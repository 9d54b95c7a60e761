import { toUnix } from './clock.js'
import type { Entry } from './entry.js'
import { type EntryOptions, type EntrySettings, entrySettings } from './entry-options.js'
import type { Flight } from './single-flight.js'
import type { Values } from './values.js'

/** What a factory may change of what becomes of its value. */
export type StoreOptions = {
  -readonly [F in
    | 'ttl'
    | 'l2Ttl'
    | 'jitter'
    | 'tags'
    | 'size'
    | 'failSafe'
    | 'eagerRefresh'
    | 'skipL1Write'
    | 'skipL2Write']: EntryOptions[F]
}

/** A value that is no longer fresh. */
export interface Stale {
  readonly value: unknown
  readonly tags: readonly string[]
  /** When it was made, in Unix ms, if that is known. */
  readonly createdAt: number | undefined
}

/** What a factory is given. */
export interface FactoryContext {
  /** Aborts when every call that waits for this factory has been aborted. */
  readonly signal: AbortSignal
  /**
   * What is being replaced, where there is something: a stale value, kept for `failSafe`, or one that is
   * refreshed early.
   */
  readonly stale: Stale | undefined
  /** What the value will be stored with. Assign to its fields; they are checked when it is stored. */
  readonly options: StoreOptions
  /** `options.tags`. */
  tags: readonly string[]
  /**
   * The stale value, to be returned where it is still right: it is stored anew, with the tags that it
   * had unless you have set others.
   *
   * @throws Error where there is no stale value: look at `stale` first.
   */
  notModified(): never
}

/** Makes a value that the cache does not have. To fail on purpose, throw. */
export type Factory<T> = (context: FactoryContext) => T | PromiseLike<T>

/** Who knows the stale value. */
interface StaleSource {
  stale(): Entry | undefined
}

/** Makes what it holds only when the factory asks. */
export class Context implements FactoryContext {
  readonly #flight: Flight<unknown>
  readonly #settings: EntrySettings
  readonly #values: Values
  readonly #source: StaleSource
  #options: StoreOptions | undefined
  #stale: { readonly found: Stale | undefined } | undefined
  #kept: readonly string[] = []

  constructor(
    flight: Flight<unknown>,
    settings: EntrySettings,
    values: Values,
    source: StaleSource,
  ) {
    this.#flight = flight
    this.#settings = settings
    this.#values = values
    this.#source = source
  }

  get signal(): AbortSignal {
    return this.#flight.signal
  }

  get stale(): Stale | undefined {
    if (this.#stale === undefined) {
      const entry = this.#source.stale()
      const found = entry && {
        value: this.#values.given(entry.value),
        tags: [...entry.tags],
        createdAt: entry.createdAt === undefined ? undefined : toUnix(entry.createdAt),
      }
      this.#stale = { found }
    }
    return this.#stale.found
  }

  get options(): StoreOptions {
    this.#options ??= storeOptions(this.#settings)
    return this.#options
  }

  get tags(): readonly string[] {
    return this.options.tags ?? []
  }

  set tags(tags: readonly string[]) {
    this.options.tags = tags
  }

  notModified(): never {
    const { stale } = this
    if (stale === undefined)
      throw new Error('notModified(): there is no stale value; look at context.stale first')
    this.#kept = stale.tags
    const { tags } = this.#settings
    const isAsGiven =
      this.tags.length === tags.length && tags.every((tag, i) => tag === this.tags[i])
    if (isAsGiven) this.tags = stale.tags
    // `never`, so that a factory's type is that of its other results.
    return stale.value as never
  }

  /** The tags of the stale value that is stored anew, where one is. */
  get keptTags(): readonly string[] {
    return this.#kept
  }

  /** Whether nobody waits for it any more. */
  get isAbandoned(): boolean {
    return this.#flight.abandoned
  }

  /** The factory does not begin yet: it shares its work with others that are not known yet. */
  waits(): void {
    this.#flight.fast()
  }

  /** It begins. */
  begins(): void {
    this.#flight.slow()
  }

  /** What the factory has left of its options. @throws TypeError, RangeError */
  get settings(): EntrySettings {
    return this.#options === undefined
      ? this.#settings
      : entrySettings(this.#options, this.#settings, 'context.options.')
  }
}

function storeOptions(settings: EntrySettings): StoreOptions {
  const { ttl, l2Ttl, jitter, tags, size, failSafe, eagerRefresh, skipL1Write, skipL2Write } =
    settings
  const { on, ...safely } = failSafe
  return {
    ttl,
    l2Ttl,
    jitter,
    // The factory's own: those of the settings may be everybody's.
    tags: [...tags],
    size,
    failSafe: on ? safely : false,
    eagerRefresh: eagerRefresh === 0 ? false : eagerRefresh,
    skipL1Write,
    skipL2Write,
  }
}
