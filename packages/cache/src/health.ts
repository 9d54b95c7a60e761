import { isL2Error, L2Error } from '@l2/core'
import type { Layers } from './layers.js'
import { within } from './within.js'

/** What {@link Cache.health} found. */
export interface CacheHealth {
  /** `'down'` where there is an L2 and it does not answer: the cache goes on without it. */
  readonly status: 'up' | 'down'
  readonly l1: { readonly entries: number; readonly bytes: number }
  /** Absent where there is no L2. */
  readonly l2?: L2Health
}

/** The part of L2 in {@link CacheHealth}. */
export interface L2Health {
  readonly status: 'up' | 'down'
  /** While it is open L2 gets no ping but its own, and no latency is known. */
  readonly breaker: 'open' | 'closed'
  /** ms that a `ping` took. */
  readonly latency?: number
  /** Why it is down, without passwords and values. It may name a host. */
  readonly error?: string
}

/** @param timeout ms for the ping; 0 = as long as the adapter's own timeout allows. */
export async function healthOf(layers: Layers, timeout: number): Promise<CacheHealth> {
  const l1 = { entries: layers.l1?.size ?? 0, bytes: layers.l1?.bytes ?? 0 }
  const l2 = await healthOfL2(layers, timeout)
  return l2 === undefined ? { status: 'up', l1 } : { status: l2.status, l1, l2 }
}

async function healthOfL2({ l2 }: Layers, timeout: number): Promise<L2Health | undefined> {
  if (l2 === undefined) return undefined
  if (l2.isDown) return { status: 'down', breaker: 'open', error: messageOf(l2.breaker.cause) }
  const begun = performance.now()
  const controller = new AbortController()
  try {
    const ping = l2.adapter.ping({ signal: controller.signal })
    await within(ping, timeout, () => noAnswer(timeout))
    return { status: 'up', breaker: 'closed', latency: performance.now() - begun }
  } catch (error) {
    controller.abort(error)
    return { status: 'down', breaker: l2.isDown ? 'open' : 'closed', error: messageOf(error) }
  }
}

const noAnswer = (timeout: number): L2Error =>
  new L2Error('L2_TIMEOUT', `L2 did not answer a ping within ${timeout} ms.`)

/** Of our own errors: what others say in theirs nobody knows. */
function messageOf(error: unknown): string {
  if (isL2Error(error)) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.name : typeof error
}
