import { type Adapter, L2Error } from '@l2/core'
import { within } from './within.js'

/**
 * Asks L2 whether it is there. A ping that takes too long is given up, so that the next one is not the
 * second of two.
 *
 * @param ms 0 = as long as the adapter's own timeout allows.
 * @param signal gives it up, too.
 */
export async function ping(adapter: Adapter, ms: number, signal?: AbortSignal): Promise<void> {
  const controller = new AbortController()
  const giveUp = (): void => controller.abort(signal?.reason)
  signal?.addEventListener('abort', giveUp, { once: true })
  try {
    await within(adapter.ping({ signal: controller.signal }), ms, () => late(ms))
  } catch (error) {
    controller.abort(error)
    throw error
  } finally {
    signal?.removeEventListener('abort', giveUp)
  }
}

const late = (ms: number): L2Error =>
  new L2Error('L2_TIMEOUT', `L2 did not answer a ping within ${ms} ms.`)
