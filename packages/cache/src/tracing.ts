import { tracingChannel } from 'node:diagnostics_channel'

/**
 * Channels of `node:diagnostics_channel` that tell how long work takes, by name:
 *
 * - `l2.cache.call`: a call to the cache that L1 did not answer;
 * - `l2.cache.factory`: a factory;
 * - `l2.cache.l2`: a call to L2.
 */
const CHANNELS = {
  call: tracingChannel('l2.cache.call'),
  factory: tracingChannel('l2.cache.factory'),
  l2: tracingChannel('l2.cache.l2'),
}

/** What a subscriber is given. `error` is added to it where the work failed; values never are. */
export interface Trace {
  /** What was called: of the cache, or of L2. */
  readonly operation: string
  /** Only of caches made with `includeKeys`. */
  readonly key?: string
  readonly tag?: string
}

/** Tells those channels what one cache does. */
export class Tracer {
  readonly #includeKeys: boolean

  constructor(includeKeys: boolean) {
    this.#includeKeys = includeKeys
  }

  /** Does the work, and tells the channel's subscribers, if there are any, when it begins and ends. */
  trace<T>(name: keyof typeof CHANNELS, about: Trace, work: () => T): T | Promise<Awaited<T>> {
    if (!isHeard(name)) return work()
    return traced(name, this.#includeKeys ? { ...about } : { operation: about.operation }, work)
  }
}

function isHeard(name: keyof typeof CHANNELS): boolean {
  // Its own hasSubscribers came with Node.js 20.13 as an experiment, and counts wrongly there.
  const { start, end, asyncStart, asyncEnd, error } = CHANNELS[name]
  return (
    start.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    error.hasSubscribers
  )
}

async function traced<T>(
  name: keyof typeof CHANNELS,
  trace: Trace,
  work: () => T,
): Promise<Awaited<T>> {
  let result: { readonly value: Awaited<T> } | undefined
  // Node adds to the trace what the promise resolves with: a value, which is nobody's business.
  await CHANNELS[name].tracePromise(async () => {
    result = { value: await work() }
  }, trace)
  return (result as unknown as { readonly value: Awaited<T> }).value
}
