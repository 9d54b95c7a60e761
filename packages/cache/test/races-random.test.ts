import { type Adapter, MemoryAdapter, type SetOptions } from '@l2/core'
import { describe, expect, it } from 'vitest'
import { newSeed, randomFrom } from '../../core/test/support/random.mjs'
import { Cache } from '../src/index.js'

// Repeat one: L2_SEED=123 vitest run packages/cache/test/races-random.test.ts
const SEED = newSeed()
const RUNS = process.env['L2_SEED'] === undefined ? 2_000 : 1

/** Decides by a seed what goes on next: nothing here takes real time. */
class Scheduler {
  readonly waiting: (() => void)[] = []
  /** A whole number from 0 to below a bound. */
  readonly pick: (bound: number) => number

  constructor(seed: number) {
    this.pick = randomFrom(seed)
  }

  pause(): Promise<void> {
    return new Promise(resolve => this.waiting.push(resolve))
  }

  release(): void {
    const [resolve] = this.waiting.splice(this.pick(this.waiting.length), 1)
    resolve?.()
  }
}

/** Answers at any time later; bulk work begins at any time later too, as in slices of a backend. */
function slow(inner: Adapter, scheduler: Scheduler): Adapter {
  const after = async <T>(work: Promise<T>): Promise<T> => {
    const result = await work
    await scheduler.pause()
    return result
  }
  return {
    get: key => after(inner.get(key)),
    set: (key: string, value: Uint8Array, options?: SetOptions) =>
      after(inner.set(key, value, options)),
    delete: key => after(inner.delete(key)),
    deleteByTag: async tag => {
      await scheduler.pause()
      await after(inner.deleteByTag(tag))
    },
    clear: async () => {
      await scheduler.pause()
      await after(inner.clear())
    },
    ping: () => after(inner.ping()),
  }
}

const KEYS = ['a', 'b', 'c']

const FAILED = new Error('the factory failed')

/** No value at all, which is never too old. */
function unlessFailed(error: unknown): undefined {
  if (error !== FAILED) throw error
}

const tagOf = (key: string): string => (key === 'c' ? 'u' : 't')

/**
 * The truth of a key is a number that only grows. What changes it invalidates the key in some way;
 * once that is acknowledged, no call that begins later may return an older number.
 */
async function run(seed: number): Promise<void> {
  const scheduler = new Scheduler(seed)
  const maxEntries = 1 + scheduler.pick(3)
  const l2 = slow(new MemoryAdapter({ sweepInterval: 0 }), scheduler)
  const cache = new Cache({ l2, l1: scheduler.pick(3) === 0 ? false : { maxEntries } })
  // Half of the runs keep stale values for factories that fail, which those runs have. There an expire
  // does not take a value from who may have stale ones.
  const failSafe = scheduler.pick(2) === 0
  const truth = new Map(KEYS.map(key => [key, 0]))
  const acknowledged = new Map(KEYS.map(key => [key, 0]))
  const log: string[] = []
  let running = 0

  const change = async (name: string, keys: string[], how: () => Promise<void>): Promise<void> => {
    for (const key of keys) truth.set(key, (truth.get(key) as number) + 1)
    const now = keys.map(key => [key, truth.get(key) as number] as const)
    log.push(`${name} makes ${JSON.stringify(now)}`)
    await how()
    log.push(`${name} acknowledged ${JSON.stringify(now)}`)
    for (const [key, version] of now)
      acknowledged.set(key, Math.max(version, acknowledged.get(key) as number))
  }

  const look = async (name: string, key: string, how: () => Promise<unknown>): Promise<void> => {
    const least = acknowledged.get(key) as number
    log.push(`${name} ${key} begins, at least ${least}`)
    const value = await how()
    log.push(`${name} ${key} returns ${value}`)
    if (typeof value === 'number' && value < least)
      throw new Error(`L2_SEED=${seed}: ${name} ${key} is ${value} < ${least}\n${log.join('\n')}`)
  }

  const expire = async (key: string): Promise<void> => {
    log.push(`expire ${key} begins`)
    await cache.expire(key)
    log.push(`expire ${key} acknowledged`)
  }

  const step = (): Promise<void> => {
    const key = KEYS[scheduler.pick(KEYS.length)] as string
    const tags = [tagOf(key)]
    const factory = async (): Promise<number> => {
      const version = truth.get(key) as number
      await scheduler.pause()
      if (failSafe && scheduler.pick(2) === 0) throw FAILED
      return version
    }
    const tagged = KEYS.filter(other => tagOf(other) === tags[0])
    const options = { tags, failSafe }
    switch (Math.min(scheduler.pick(failSafe ? 20 : 13), 12)) {
      case 0:
        return change('delete', [key], () => cache.delete(key))
      case 1:
        return change('deleteByTag', tagged, () => cache.deleteByTag(tags[0] as string))
      case 2:
        return change('clear', KEYS, () => cache.clear())
      case 3:
        return change('set', [key], () => cache.set(key, truth.get(key), options))
      case 12:
        if (failSafe) return expire(key)
        return change('expire', [key], () => cache.expire(key))
      case 4:
      case 5:
      case 6:
      case 7:
        return look('get', key, () => cache.get(key))
      default:
        return look('getOrSet', key, () =>
          cache.getOrSet(key, factory, options).catch(unlessFailed),
        )
    }
  }

  const failures: unknown[] = []
  for (let left = 40; left > 0 || running > 0; ) {
    if (left > 0 && (running === 0 || (running < 8 && scheduler.pick(10) < 4))) {
      left--
      running++
      step()
        .catch((error: unknown) => failures.push(error))
        .finally(() => running--)
    } else scheduler.release()
    // Everything between two decisions is microtasks, but for MemoryAdapter's bulk calls.
    await new Promise(resolve => setImmediate(resolve))
  }
  if (failures.length > 0) throw failures[0]
  const { l1Hits, l2Hits, misses, joined, failSafes } = cache.stats()
  total.looks += l1Hits + l2Hits + misses + joined
  total.l1Hits += l1Hits
  total.l2Hits += l2Hits
  total.joined += joined
  total.failSafes += failSafes
}

const total = { looks: 0, l1Hits: 0, l2Hits: 0, joined: 0, failSafes: 0 }

describe('random schedules', () => {
  it(`never return what was acknowledged as gone (seed ${SEED})`, {
    timeout: 120_000,
  }, async () => {
    for (let i = 0; i < RUNS; i++) await run((SEED + i) >>> 0)
    if (RUNS === 1) return
    // The schedules are worth something only while they reach every layer.
    const { looks, l1Hits, l2Hits, joined, failSafes } = total
    expect(failSafes / looks).toBeGreaterThan(0.001)
    for (const count of [l1Hits, l2Hits, joined]) expect(count / looks).toBeGreaterThan(0.01)
  })
})
