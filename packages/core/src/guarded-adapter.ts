import { setImmediate as letTurn } from 'node:timers/promises'
import { inspect, types } from 'node:util'
import type { Adapter, CallOptions, Capabilities, SetOptions } from './adapter.js'
import {
  type AdapterOptions,
  MAX_TIMEOUT,
  type ResolvedAdapterOptions,
  resolveAdapterOptions,
} from './adapter-options.js'
import {
  checkName,
  checkOptions,
  checkSignal,
  checkTags,
  checkTtl,
  copyOfValue,
} from './arguments.js'
import type { Awaitable, Backend, Failure, Slices } from './backend.js'
import { Deadlines } from './deadlines.js'
import { isL2Error, L2Error } from './errors.js'
import { type CallOwner, PendingCall } from './pending-call.js'
import { redactedCause, redactText } from './redact.js'
import { hasTimeLeft, nextTurn } from './turn.js'

/** What a sweep did. */
export interface SweepReport {
  /** How many expired entries it removed. */
  readonly removed: number
}

/**
 * What every adapter does alike, around the raw operations of a {@link Backend}: arguments are
 * checked, then whether it is closed, then whether the call is aborted; bytes are copied both ways;
 * each round trip has a deadline; failures become an {@link L2Error} without secrets.
 *
 * A backend package subclasses it with a constructor and nothing else.
 */
export class GuardedAdapter implements Adapter {
  readonly #backend: Backend
  readonly #options: ResolvedAdapterOptions
  readonly #owner: CallOwner
  /** Aborts when `close()` is called. */
  readonly #closing = new AbortController()
  #closed: Promise<void> | undefined
  #inFlight = 0
  #lastSettled: (() => void) | undefined
  #sweepTimer: NodeJS.Timeout | undefined

  /**
   * @param open makes the backend of checked options. It does not connect: that waits for the
   * first call.
   * @throws TypeError, RangeError where an option is not what it should be.
   */
  constructor(options: AdapterOptions, open: (options: ResolvedAdapterOptions) => Backend) {
    this.#options = resolveAdapterOptions(options)
    this.#owner = {
      deadlines: new Deadlines(this.#options.timeout),
      timedOut: operation => this.#timedOut(operation),
      failure: (operation, error) => this.#failure(operation, error),
      onSettled: () => this.#onSettled(),
    }
    this.#backend = open(this.#options)
  }

  get capabilities(): Capabilities {
    return this.#backend.capabilities ?? {}
  }

  async get(key: string, options?: CallOptions): Promise<Uint8Array<ArrayBuffer> | undefined> {
    checkName('key', key)
    const signal = signalOf(options)
    this.#admit(signal)
    const call = new PendingCall()
    const work = this.#perform('get', call, signal, () => this.#backend.get(key, call))
    const { readsAreFresh = false } = this.#backend
    return ownBytes(isPromiseLike(work) ? await work : work, readsAreFresh)
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    checkName('key', key)
    const bytes = copyOfValue(value)
    const given = checkOptions(options)
    const ttl = checkTtl(given['ttl'])
    const tags = checkTags(given['tags'])
    const signal = checkSignal(given['signal'])
    this.#admit(signal)
    const call = new PendingCall()
    const kept = this.capabilities.tags === false ? [] : tags
    await this.#perform('set', call, signal, () => this.#backend.set(key, bytes, ttl, kept, call))
  }

  async delete(key: string, options?: CallOptions): Promise<void> {
    checkName('key', key)
    const signal = signalOf(options)
    this.#admit(signal)
    const call = new PendingCall()
    await this.#perform('delete', call, signal, () => this.#backend.delete(key, call))
  }

  async deleteByTag(tag: string, options?: CallOptions): Promise<void> {
    checkName('tag', tag)
    const signal = signalOf(options)
    this.#admit(signal)
    if (this.capabilities.tags === false) return
    await this.#inSlices('deleteByTag', signal, call => this.#backend.deleteByTag(tag, call))
  }

  async clear(options?: CallOptions): Promise<void> {
    const signal = signalOf(options)
    this.#admit(signal)
    if (this.#options.prefix === '') {
      throw new L2Error(
        'L2_PREFIX_REQUIRED',
        'clear() needs a prefix: with an empty one it could remove what others keep in the same ' +
          'backend. Give the adapter a prefix of its own.',
      )
    }
    await this.#inSlices('clear', signal, call => this.#backend.clear(call))
  }

  async ping(options?: CallOptions): Promise<void> {
    const signal = signalOf(options)
    this.#admit(signal)
    const call = new PendingCall()
    await this.#perform('ping', call, signal, () => this.#backend.ping(call))
  }

  /**
   * Removes expired entries, and bookkeeping that nothing needs any more, now rather than within
   * `sweepInterval`. Expired entries are misses either way.
   *
   * Cost: slices, as {@link Adapter.deleteByTag}.
   */
  async sweep(options?: CallOptions): Promise<SweepReport> {
    const signal = signalOf(options)
    this.#admit(signal)
    return { removed: await this.#sweep(signal) }
  }

  /**
   * Closes the adapter: calls in flight settle, later ones reject with `L2_CLOSED`, and what the
   * adapter itself opened is freed. A client that was passed in stays open. May be called again.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What `console.log` shows: nothing that connects or authenticates. */
  [inspect.custom](): string {
    const state = this.#closing.signal.aborted ? 'closed' : 'open'
    return `${this.constructor.name} { prefix: ${JSON.stringify(this.#options.prefix)}, ${state} }`
  }

  #sweep(signal: AbortSignal | undefined, background = false): Promise<number> {
    const call = new PendingCall(background)
    return this.#inSlices('sweep', signal, one => this.#backend.sweep?.(one) ?? [], call)
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    clearTimeout(this.#sweepTimer)
    if (this.#inFlight > 0) await new Promise<void>(resolve => (this.#lastSettled = resolve))
    await this.#perform('close', new PendingCall(), undefined, () => this.#backend.close())
  }

  #admit(signal: AbortSignal | undefined): void {
    if (this.#closing.signal.aborted) {
      throw new L2Error('L2_CLOSED', `This ${this.constructor.name} was closed; open another one.`)
    }
    if (signal?.aborted) throw signal.reason
    if (this.#sweepTimer === undefined) this.#scheduleSweep()
  }

  /**
   * Runs one round trip. Answers at once where the backend does, but in the next turn where this one
   * was long: a loop of awaits that are answered at once would starve every timer and socket.
   */
  #perform<T>(
    operation: string,
    call: PendingCall,
    signal: AbortSignal | undefined,
    work: () => Awaitable<T>,
  ): T | Promise<T> {
    try {
      const result = work()
      if (isPromiseLike(result)) return this.#await(operation, call, signal, result)
      return hasTimeLeft() ? result : nextTurn().then(() => result)
    } catch (error) {
      const failure = this.#failure(operation, error)
      if (hasTimeLeft()) throw failure
      return nextTurn().then(() => {
        throw failure
      })
    }
  }

  #await<T>(
    operation: string,
    call: PendingCall,
    signal: AbortSignal | undefined,
    work: PromiseLike<T>,
  ): Promise<T> {
    this.#inFlight++
    // A promise of our own: a thenable may do anything when it is asked.
    return call.settle(Promise.resolve(work), operation, signal, this.#owner)
  }

  async #inSlices(
    operation: string,
    signal: AbortSignal | undefined,
    start: (call: PendingCall) => Slices,
    call = new PendingCall(),
  ): Promise<number> {
    let removed = 0
    let slices: Iterator<number> | AsyncIterator<number> | undefined
    this.#inFlight++
    try {
      for (;;) {
        const step = await this.#perform(operation, call, signal, () => {
          slices ??= iteratorOf(start(call))
          return slices.next()
        })
        if (step.done) return removed
        removed += step.value
        await letTurn(undefined, { ref: !call.background })
        if (signal?.aborted) throw signal.reason
      }
    } catch (error) {
      call.abandon()
      // Not awaited: an async generator ends only after the slice that did not answer.
      endEarly(slices).catch(() => {})
      throw error
    } finally {
      this.#onSettled()
    }
  }

  #onSettled(): void {
    this.#inFlight--
    if (this.#inFlight === 0) this.#lastSettled?.()
  }

  #timedOut(operation: string): L2Error {
    return new L2Error(
      'L2_TIMEOUT',
      `${operation}: no answer within ${this.#options.timeout} ms, the adapter's \`timeout\`. ` +
        'The backend is out of reach, overloaded or locked.',
    )
  }

  #failure(operation: string, error: unknown): L2Error {
    if (isL2Error(error)) return error
    const cause = redactedCause(error)
    const { code, message, retryable } = this.#describe(error) ?? {
      code: 'L2_UNAVAILABLE',
      message: `the backend failed: ${cause.message}`,
    }
    return new L2Error(code, redactText(`${operation}: ${message}`), {
      cause,
      ...(retryable === undefined ? {} : { retryable }),
    })
  }

  #describe(error: unknown): Failure | undefined {
    try {
      return this.#backend.describe?.(error)
    } catch {
      // The failure itself is what the caller has to hear of.
      return undefined
    }
  }

  #scheduleSweep(): void {
    const { sweepInterval } = this.#options
    if (sweepInterval === 0 || this.#backend.sweep === undefined) return
    // Apart, so that a fleet started at once does not sweep at once.
    const delay = Math.min(sweepInterval * (0.75 + Math.random() / 2), MAX_TIMEOUT)
    this.#sweepTimer = setTimeout(() => {
      // A failure here is nobody's call; the next interval tries again, and sweep() would tell.
      const again = (): void => void (this.#closing.signal.aborted || this.#scheduleSweep())
      this.#sweep(this.#closing.signal, true).then(again, again)
    }, delay).unref()
  }
}

function signalOf(options: CallOptions | undefined): AbortSignal | undefined {
  return options === undefined ? undefined : checkSignal(checkOptions(options)['signal'])
}

function isPromiseLike<T>(value: Awaitable<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | undefined)?.then === 'function'
}

/** The caller's own bytes. A driver without types may give null for a miss, or something else. */
function ownBytes(value: unknown, isFresh: boolean): Uint8Array<ArrayBuffer> | undefined {
  if (value === undefined || value === null) return undefined
  if (!types.isUint8Array(value))
    throw new L2Error('L2_CORRUPT_STORE', `get: the backend gave no bytes but ${typeof value}`)
  const { buffer } = value
  // A Buffer out of Node's pool shares its memory with others.
  const isWhole = buffer.byteLength === value.byteLength && types.isArrayBuffer(buffer)
  return isFresh && isWhole ? new Uint8Array(buffer) : new Uint8Array(value)
}

async function endEarly(
  slices: Iterator<number> | AsyncIterator<number> | undefined,
): Promise<void> {
  await slices?.return?.()
}

function iteratorOf(slices: Slices): Iterator<number> | AsyncIterator<number> {
  return Symbol.asyncIterator in slices ? slices[Symbol.asyncIterator]() : slices[Symbol.iterator]()
}
