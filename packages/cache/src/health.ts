import { isL2Error } from '@l2/core'
import type { Layers } from './layers.js'
import { ping } from './ping.js'

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
  try {
    await ping(l2.adapter, timeout)
    return { status: 'up', breaker: 'closed', latency: performance.now() - begun }
  } catch (error) {
    return { status: 'down', breaker: l2.isDown ? 'open' : 'closed', error: messageOf(error) }
  }
}

/** Of our own errors: what others say in theirs nobody knows. */
function messageOf(error: unknown): string {
  if (isL2Error(error)) return `${error.code}: ${error.message}`
  return error instanceof Error ? error.name : typeof error
}
