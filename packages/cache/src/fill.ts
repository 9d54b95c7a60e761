import { L2Error } from '@l2/core'
import { clock, type Time } from './clock.js'
import { type Entry, isKept } from './entry.js'
import type { EntrySettings } from './entry-options.js'
import { Context, type Factory } from './factory.js'
import type { Ticket } from './fences.js'
import { type L2, NO_LIMITS } from './l2.js'
import { countFactoryError, countMiss, type Layers } from './layers.js'
import { type Found, lookInL2 } from './read.js'
import { Flight } from './single-flight.js'
import { instead, staleOf, takeStale, type Wanting } from './stand-ins.js'
import { within } from './within.js'
import { keepInL1, prepare } from './write.js'

/** One flight: read L2, else run the factory, store what it made in L1 and L2. */
export class Fill implements Wanting {
  readonly #layers: Layers
  readonly #factory: Factory<unknown>
  readonly #settings: EntrySettings
  readonly #flight: Flight<unknown>
  readonly #due: Entry | undefined
  readonly #isShared: boolean
  readonly #whenEnded: (() => void) | undefined
  readonly ticket: Ticket
  readonly readsL1: boolean
  /** Of what is being made: the factory may change them. */
  #tags: readonly string[]
  staleInL2: Entry | undefined
  /** ms of the callers' time that L2 may still take. */
  #budget: number
  /** The write to L2 that callers wait for. */
  #written: Promise<void> | undefined
  #stored = false
  #ended = false
  #revoked = false

  /**
   * @param due what L1 has and is to be refreshed, if it is that.
   * @param isShared whether calls may join.
   * @param whenEnded is called when nobody may join any more.
   */
  constructor(
    layers: Layers,
    key: string,
    factory: Factory<unknown>,
    settings: EntrySettings,
    due: Entry | undefined,
    isShared: boolean,
    whenEnded: (() => void) | undefined,
  ) {
    this.#layers = layers
    this.#factory = factory
    this.#settings = settings
    this.#tags = settings.tags
    this.readsL1 = !settings.skipL1Read
    this.#due = due
    this.#budget = settings.l2Timeouts.soft || Number.POSITIVE_INFINITY
    this.#isShared = isShared
    this.#whenEnded = whenEnded
    this.ticket = layers.fences.begin(key, l2ToRead(layers, key, settings) !== undefined)
    this.ticket.fill = this
    this.#flight = new Flight(this)
    layers.activity.enter()
  }

  /**
   * Whether a call made now may have the result. Not if the key was set since this began, nor if
   * the factory began before an invalidation; what is still being read then turns into a miss.
   */
  get joinable(): boolean {
    const ticket = this.ticket
    if (!this.#isShared || ticket.replaced) return false
    return ticket.reads || !this.#layers.fences.outdated(ticket, this.#tags)
  }

  /**
   * Whether calls that joined may have done so after an invalidation of tags that only the factory
   * knew: the result is not for them. Known when it settles.
   */
  get revoked(): boolean {
    return this.#revoked
  }

  /** @param mayBeAbandoned whether the first caller came with a signal. */
  start(mayBeAbandoned: boolean): void {
    const { l2 } = this.#layers
    this.#flight.started(
      this.ticket.reads && l2 !== undefined ? this.#readAndMake(l2, mayBeAbandoned) : this.#miss(),
    )
  }

  /** Has the value made though nobody waits for it. */
  keep(): void {
    this.#flight.keep()
  }

  /** From now on nobody needs a value that nobody waits for. */
  release(reason: unknown): void {
    this.#flight.release(reason)
  }

  /** @param alone what a call does that has waited for another's work long enough. */
  join(
    settings: EntrySettings,
    signal: AbortSignal | undefined,
    alone?: () => Promise<unknown>,
  ): Promise<unknown> {
    const { soft, hard } = settings.factoryTimeouts
    const lock = alone === undefined ? 0 : settings.lockTimeout
    if (signal === undefined && soft === 0 && hard === 0 && lock === 0) return this.#flight.join()
    return this.#flight.join({
      signal,
      waiting: {
        after: lock,
        take: () =>
          takeStale(this.#layers, this, settings, () => tooLong('lockTimeout', lock)) ??
          (alone && { value: alone() }),
      },
      slow: [
        {
          after: soft,
          take: () =>
            takeStale(this.#layers, this, settings, () => tooLong('factoryTimeouts.soft', soft)),
        },
        {
          after: hard,
          take: () => ({
            value: instead(this.#layers, this, settings, tooLong('factoryTimeouts.hard', hard)),
          }),
        },
      ],
    })
  }

  #miss(): Promise<unknown> {
    if (this.#due === undefined) countMiss(this.#layers, this.ticket.key)
    return this.#make()
  }

  #readAndMake(l2: L2, mayBeAbandoned: boolean): Promise<unknown> {
    const { soft, hard } = this.#settings.l2Timeouts
    const begun = performance.now()
    const look = {
      settings: this.#settings,
      signal: mayBeAbandoned ? this.#flight.signal : undefined,
      timeout: shorter(soft, hard),
      degrade: true,
      due: this.#due,
    }
    return lookInL2(this.#layers, l2, this.ticket, look).then(
      found => this.#looked(found, begun),
      (error: unknown) => {
        this.#end()
        throw error
      },
    )
  }

  #looked({ hit, stale }: Found, begun: number): unknown {
    if (hit !== undefined || this.#flight.abandoned) {
      this.#end()
      if (hit === undefined) throw this.#flight.signal.reason
      return hit.value
    }
    this.staleInL2 = stale
    this.#endRead()
    // What reading has cost is not there for writing.
    this.#budget = Math.max(0, this.#budget - Math.ceil(performance.now() - begun))
    return this.#make()
  }

  // No async functions here: what takes no time, in L1 alone, would take most of it for them.
  #make(): Promise<unknown> {
    const { values, counters } = this.#layers
    const context = new Context(this.#flight, this.#settings, values, this)
    counters.factories++
    const createdAt = clock()
    this.#flight.slow()
    let value: unknown
    let takesTime: boolean
    try {
      value = this.#runFactory(context)
      // Looking at it runs code of the factory's, too: it may be anything.
      takesTime = isThenable(value)
    } catch (error) {
      return this.#failed(error)
    }
    if (!takesTime) return this.#made(value, context, createdAt)
    return Promise.resolve(value).then(
      made => this.#made(made, context, createdAt),
      error => this.#failed(error),
    )
  }

  #failed(error: unknown): Promise<unknown> {
    this.#flight.fast()
    try {
      if (this.#flight.abandoned) throw error
      countFactoryError(this.#layers, { key: this.ticket.key, error })
      return Promise.resolve(instead(this.#layers, this, this.#settings, error))
    } catch (failure) {
      return Promise.reject(failure)
    } finally {
      this.#end()
    }
  }

  #made(value: unknown, context: Context, createdAt: Time): Promise<unknown> {
    this.#flight.fast()
    let kept: unknown
    try {
      kept = this.#keep(value, context, createdAt)
    } catch (error) {
      this.#end()
      countFactoryError(this.#layers, { key: this.ticket.key, error })
      return Promise.reject(error)
    }
    if (this.#written !== undefined && this.#budget > 0)
      return this.#whenWritten(kept, this.#written)
    this.#end()
    return Promise.resolve(kept)
  }

  async #whenWritten(kept: unknown, written: Promise<void>): Promise<unknown> {
    const limit = this.#budget === Number.POSITIVE_INFINITY ? 0 : this.#budget
    try {
      await within(written, limit, () => tooLong('l2Timeouts.soft', limit))
    } catch {
      // It goes on by itself: the callers have waited for L2 as long as they were to.
    }
    this.#end()
    return kept
  }

  /** Stores what the factory has made, unless something came between. @returns how it is kept. */
  #keep(value: unknown, context: Context, createdAt: Time): unknown {
    const { fences } = this.#layers
    const { settings } = context
    if (settings !== this.#settings) {
      // A stale value that is kept must not have been reached by an invalidation of its own.
      this.#tags = [...settings.tags, ...context.keptTags]
      const unforeseen = this.#tags.filter(tag => !this.#settings.tags.includes(tag))
      this.#revoked = fences.hasDeleted(unforeseen, this.ticket)
    }
    const outdated = this.isOutdated
    // What is outdated by now need not be serialized.
    if (value === undefined || outdated) return this.#layers.values.kept(value)
    return this.#store(value, settings, createdAt)
  }

  #runFactory(context: Context): unknown {
    const operation = this.#due === undefined ? 'getOrSet' : 'refresh'
    const { key } = this.ticket
    return this.#layers.tracer.trace('factory', { operation, key }, () => this.#factory(context))
  }

  /** What may be served though it is stale. */
  stale(): Entry | undefined {
    return staleOf(this.#layers, this)
  }

  #endRead(): void {
    const { fences } = this.#layers
    // It was deleted, perhaps, between L2's answer and this turn.
    if (this.staleInL2 !== undefined && fences.spoiled(this.ticket, this.staleInL2.tags))
      this.staleInL2 = undefined
    fences.readEnded(this.ticket)
  }

  /** Whether something came between, so that what is made must not be stored. */
  get isOutdated(): boolean {
    if (this.#flight.abandoned || this.ticket.replaced) return true
    return this.#layers.fences.outdated(this.ticket, this.#tags)
  }

  #store(value: unknown, settings: EntrySettings, createdAt: Time): unknown {
    const layers = this.#layers
    const { l2, fences } = layers
    const { key } = this.ticket
    const { l1: entry, l2: shared, bytes } = prepare(layers, value, settings, createdAt)
    // After the serializer, which runs code of the caller's, toJSON for one: it may delete the key.
    // No pause from here to the call to L2: from there on the adapter's order holds.
    if (this.isOutdated) return entry.value
    fences.replace(key, this.ticket)
    keepInL1(layers, key, entry, settings.skipL1Write)
    this.#stored = true
    if (l2 === undefined || bytes === undefined || l2.isDown) return entry.value
    const written = layers.activity.during(l2.set(key, shared, bytes, NO_LIMITS, true))
    if (!settings.backgroundL2Writes) this.#written = written
    return entry.value
  }

  /** Nobody waits any more. */
  abandoned(): void {
    // What is stored is good for others, and its write goes on. A factory that does not heed its
    // signal runs on, but holds up neither the next one nor close().
    if (!this.#stored) this.#end()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#layers.fences.end(this.ticket)
    this.#layers.activity.leave()
    this.#whenEnded?.()
  }
}

/** L2, if a fill that begins now is to look into it. */
function l2ToRead({ l1, l2 }: Layers, key: string, settings: EntrySettings): L2 | undefined {
  const { skipL2Read, skipL2ReadWhenStale } = settings
  if (l2 === undefined || skipL2Read || l2.isDown) return undefined
  const stale = skipL2ReadWhenStale ? l1?.peek(key) : undefined
  return stale !== undefined && isKept(stale) ? undefined : l2
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

/** Of two times of which 0 means never. */
const shorter = (one: number, other: number): number =>
  one === 0 || other === 0 ? one + other : Math.min(one, other)

const tooLong = (what: string, ms: number): L2Error =>
  new L2Error('L2_FACTORY_TIMEOUT', `The factory took longer than ${what} (${ms} ms) allows.`)
