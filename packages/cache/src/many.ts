import type { Context, Factory, FactoryContext } from './factory.js'

/** What the factory of many is given. */
export interface ManyContext {
  /** Aborts when every call that waits for one of the keys has been aborted. */
  readonly signal: AbortSignal
  /**
   * What the factory of `key` alone would be given: its stale value, and the options that it is stored
   * with, tags among them.
   *
   * @throws TypeError where `key` is not among the missing ones.
   */
  of(key: string): FactoryContext
}

/**
 * Makes the values that the cache does not have.
 *
 * @returns pairs of key and value, a `Map` for one. A key without a pair has no value; a pair of a key
 * that is not among the missing ones is not looked at.
 */
export type ManyFactory<T> = (
  missing: string[],
  context: ManyContext,
) => Iterable<readonly [string, T]> | PromiseLike<Iterable<readonly [string, T]>>

/** Runs one factory for the keys of one call that turn out to be missing. */
export class Batch {
  readonly #factory: ManyFactory<unknown>
  readonly #asked = new Map<string, Context>()
  readonly #values: Promise<ReadonlyMap<string, unknown>>
  #run!: () => void
  #hasRun = false
  /** Flights of which it is not known yet whether they need the factory, and the call that begins them. */
  #open = 1

  constructor(factory: ManyFactory<unknown>) {
    this.#factory = factory
    const ready = new Promise<void>(resolve => (this.#run = resolve))
    // A turn later: where a caller gives up, his keys are abandoned one after the other.
    this.#values = ready.then(() => this.#makeAll())
    // Those who asked get it, each by itself.
    this.#values.catch(() => {})
  }

  /** What a flight of `key` needs. */
  of(key: string): { readonly begun: () => () => void; readonly factory: Factory<unknown> } {
    let known = (): void => {}
    const begun = (): (() => void) => {
      let isOpen = true
      this.#open++
      known = () => {
        if (isOpen) this.#close()
        isOpen = false
      }
      return known
    }
    return { begun, factory: context => this.#make(key, context as Context, known) }
  }

  /** All flights have begun. */
  sealed(): void {
    this.#close()
  }

  async #make(key: string, context: Context, known: () => void): Promise<unknown> {
    // By a call that waited for another's flight in vain, after the others had theirs.
    if (this.#hasRun) return (await make(this.#factory, new Map([[key, context]]))).get(key)
    this.#asked.set(key, context)
    // Its callers' clocks stand still until the factory begins.
    context.waits()
    known()
    if (this.#open === 0) this.#start()
    return (await this.#values).get(key)
  }

  #makeAll(): Promise<ReadonlyMap<string, unknown>> | ReadonlyMap<string, unknown> {
    for (const [key, context] of this.#asked) {
      if (context.isAbandoned) this.#asked.delete(key)
      else context.begins()
    }
    return this.#asked.size === 0 ? this.#asked : make(this.#factory, this.#asked)
  }

  #close(): void {
    if (--this.#open === 0 && this.#asked.size > 0) this.#start()
  }

  #start(): void {
    this.#hasRun = true
    this.#run()
  }
}

async function make(
  factory: ManyFactory<unknown>,
  asked: ReadonlyMap<string, FactoryContext>,
): Promise<ReadonlyMap<string, unknown>> {
  const made = await factory([...asked.keys()], new BatchContext(asked))
  if (typeof made !== 'object' || made === null || !(Symbol.iterator in made))
    throw new TypeError(
      'the factory must return pairs of key and value: a Map, or an array of pairs',
    )
  return new Map(made)
}

class BatchContext implements ManyContext {
  readonly #contexts: ReadonlyMap<string, FactoryContext>
  #controller: AbortController | undefined

  constructor(contexts: ReadonlyMap<string, FactoryContext>) {
    this.#contexts = contexts
  }

  of(key: string): FactoryContext {
    const context = this.#contexts.get(key)
    if (context === undefined) throw new TypeError('context.of: the key is not among those missing')
    return context
  }

  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal
    const controller = new AbortController()
    this.#controller = controller
    const signals = Array.from(this.#contexts.values(), ({ signal }) => signal)
    const look = ({ reason }: AbortSignal): void => {
      if (signals.every(signal => signal.aborted)) controller.abort(reason)
    }
    for (const signal of signals) {
      if (signal.aborted) look(signal)
      else signal.addEventListener('abort', () => look(signal), { once: true })
    }
    return controller.signal
  }
}
