import { ConformanceError, show } from './check.js'
import { bytes, type Context, elapse } from './context.js'
import type { ClosableAdapter, Operation } from './types.js'

type Call = (adapter: ClosableAdapter, signal?: AbortSignal) => Promise<unknown>

/** One harmless call of each operation. */
export const OPERATIONS: Readonly<Record<Exclude<Operation, 'close'>, Call>> = {
  get: (adapter, signal) => adapter.get('k', { signal }),
  set: (adapter, signal) => adapter.set('k', bytes('other'), { tags: ['other'], signal }),
  delete: (adapter, signal) => adapter.delete('k', { signal }),
  deleteByTag: (adapter, signal) => adapter.deleteByTag('t', { signal }),
  clear: (adapter, signal) => adapter.clear({ signal }),
  ping: (adapter, signal) => adapter.ping({ signal }),
}

/**
 * What `call` settles with.
 *
 * @throws ConformanceError where it has not settled long after its adapter's deadline.
 */
export async function outcomeInTime(
  context: Context,
  call: Promise<unknown>,
): Promise<{ readonly value: unknown } | { readonly error: unknown }> {
  let timer: NodeJS.Timeout | undefined
  const hang = new Promise<never>((_, reject) => {
    const error = new ConformanceError(
      'a call while the backend was cut off or stalled',
      "it settles within the adapter's timeout",
      `pending after ${context.patience} ms`,
    )
    timer = setTimeout(() => reject(error), context.patience)
  })
  const outcome = call.then(
    value => ({ value }),
    (error: unknown) => ({ error }),
  )
  try {
    return await Promise.race([outcome, hang])
  } finally {
    clearTimeout(timer)
  }
}

/** Pings until it works, as a breaker's probe would; a moment to reconnect is allowed. */
export async function expectRecovery(context: Context, adapter: ClosableAdapter): Promise<void> {
  const end = performance.now() + context.patience
  for (;;) {
    const outcome = await outcomeInTime(context, adapter.ping())
    if ('value' in outcome) return
    if (performance.now() > end) {
      throw new ConformanceError(
        'the backend was cut off or hung and is back, ping',
        'success before long',
        show(outcome.error),
      )
    }
    await elapse(10)
  }
}
