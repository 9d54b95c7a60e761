import { type Adapter, isL2Error } from '@l2/core'
import type { BreakerSettings } from './cache-options.js'
import type { CacheEvents } from './events.js'
import { ping } from './ping.js'

/** What kind of failure L2 had: no answer in time, not to be reached, or an error of its own. */
export type FailureClass = 'timeout' | 'refused' | 'server'

/** ms that a ping may take where nothing else is said: our adapters' own timeout. */
const LONGEST_PING = 5_000

/**
 * Keeps calls from an L2 that is down. It opens after so many failures in a row; from then on one
 * `ping` at a time goes to L2, and the first that is answered in time closes it. Calls of users never
 * decide about that.
 */
export class Breaker {
  readonly #settings: BreakerSettings | undefined
  readonly #adapter: Adapter
  readonly #patience: number
  readonly #tell: (event: CacheEvents['breaker']) => void
  readonly #closing = new AbortController()
  #failures = 0
  #cause: unknown
  #open = false
  #ended = false
  #timer: NodeJS.Timeout | undefined

  /**
   * @param settings `undefined`: never opens.
   * @param patience ms after which an answer comes too late; 0 = never, but for pings.
   */
  constructor(
    settings: BreakerSettings | undefined,
    adapter: Adapter,
    patience: number,
    tell: (event: CacheEvents['breaker']) => void,
  ) {
    this.#settings = settings
    this.#adapter = adapter
    this.#patience = patience
    this.#tell = tell
  }

  /** The failure that opened it last. */
  get cause(): unknown {
    return this.#cause
  }

  /** Whether L2 is to be left alone. */
  get open(): boolean {
    return this.#open
  }

  /**
   * @param begun when the call began, by `performance.now()`. An answer that comes too late for others is no
   * sign of health.
   */
  succeeded(begun: number): void {
    // First: in good health nobody needs to look at the clock.
    if (this.#failures === 0) return
    if (this.#patience === 0 || performance.now() - begun <= this.#patience) this.#failures = 0
  }

  failed(error: unknown): void {
    const cause = classOf(error)
    if (this.#settings === undefined || cause === undefined || this.#ended) return
    if (++this.#failures < this.#settings.threshold || this.#open) return
    this.#open = true
    this.#cause = error
    this.#wait(this.#settings.probeInterval)
    this.#tell({ state: 'open', cause, error })
  }

  /** Ends the probing. It opens no more. */
  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#closing.abort(new Error('the cache was closed'))
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => void this.#probe(ms), ms).unref()
  }

  async #probe(interval: number): Promise<void> {
    try {
      await ping(this.#adapter, this.#patience || LONGEST_PING, this.#closing.signal)
    } catch {
      if (!this.#ended) this.#wait(interval)
      return
    }
    if (this.#ended) return
    this.#failures = 0
    this.#open = false
    this.#tell({ state: 'closed' })
  }
}

/** `undefined`: no failure of L2's, or one that it answered with, in good health. */
function classOf(error: unknown): FailureClass | undefined {
  // Misuse, which says nothing of L2.
  if (error instanceof TypeError || error instanceof RangeError) return undefined
  if (!isL2Error(error)) return 'server'
  switch (error.code) {
    case 'L2_TIMEOUT':
      return 'timeout'
    case 'L2_UNAVAILABLE':
      return 'refused'
    case 'L2_UNSUITABLE_BACKEND':
    case 'L2_SCHEMA_MISMATCH':
    case 'L2_CORRUPT_STORE':
      return 'server'
    // Full or read-only, it still answers reads.
    default:
      return undefined
  }
}
