import { decodeEnvelope } from '@l2/core'
import { describe, expect, it, vi } from 'vitest'
import type { Cache } from '../src/index.js'
import { Deferred, quiet } from './controlled-adapter.js'
import { fakeTime, later } from './support/fake-time.js'
import { openNode } from './support/node.js'

// FusionCache (.NET) is the reference for how these features behave. Its scenarios, by its names.

const START = 1_000_000
const down = new Error('the origin is down')
const fails = (): never => {
  throw down
}
const failSafe = { maxDuration: '1h', throttle: '10s' } as const
const options = { ttl: 1_000, failSafe } as const

fakeTime(START)

describe('GetOrSet', () => {
  it('returns what memory has, fresh, and asks nobody else', async () => {
    const { l2, cache } = openNode()
    await cache.set('k', 1)
    l2.calls.length = 0
    expect(await cache.getOrSet('k', fails)).toBe(1)
    expect(l2.calls).toEqual([])
  })

  it('looks into memory again once it holds the lock', async () => {
    const { l2, cache } = openNode()
    const answer = l2.holdAfter('get')
    const value = cache.getOrSet('k', fails)
    await answer.reached
    await cache.set('k', 'meanwhile')
    answer.open()
    expect(await value).toBe('meanwhile')
  })

  it('promotes a fresh distributed entry with its own timestamps and tags', async () => {
    const { cache, node } = openNode()
    await node().set('k', 1, { ttl: 1_000, tags: ['t'] })
    vi.advanceTimersByTime(900)
    expect(await cache.getOrSet('k', fails, { ttl: '1h' })).toBe(1)
    vi.advanceTimersByTime(100)
    expect(await cache.get('k')).toBeUndefined()
    await node().set('k', 2, { tags: ['t'] })
    expect(await cache.get('k')).toBe(2)
    await cache.deleteByTag('t')
    expect(await cache.get('k')).toBeUndefined()
  })

  it('stamps the time of creation before the factory runs', async () => {
    const { raw, cache } = openNode()
    await cache.getOrSet('k', () => {
      vi.advanceTimersByTime(500)
      return 1
    })
    expect(decodeEnvelope((await raw.get('k')) as Uint8Array).createdAt).toBe(START)
  })

  it('proceeds without the lock on a lock timeout where there is no stale value', async () => {
    const { cache } = openNode()
    const made = new Deferred<number>()
    const holder = cache.getOrSet('k', () => made.promise)
    const waiter = cache.getOrSet('k', () => 2, { lockTimeout: 10 })
    await later(10)
    expect(await waiter).toBe(2)
    made.resolve(1)
    expect(await holder).toBe(1)
  })

  it('returns the stale value on a lock timeout where there is one', async () => {
    const { cache } = openNode()
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(1_000)
    const made = new Deferred<string>()
    const holder = cache.getOrSet('k', () => made.promise, options)
    const waiter = cache.getOrSet('k', fails, { ...options, lockTimeout: 10 })
    await later(10)
    expect(await waiter).toBe('old')
    made.resolve('new')
    expect(await holder).toBe('new')
  })
})

describe('Fail-Safe', () => {
  it('must have been enabled when the entry was saved', async () => {
    const { cache } = openNode()
    await cache.set('k', 'old', { ttl: 1_000 })
    vi.advanceTimersByTime(1_000)
    await expect(cache.getOrSet('k', fails, options)).rejects.toBe(down)
  })

  it('puts the stale value into memory alone, for the throttle duration', async () => {
    const { l2, cache, node } = openNode()
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(1_000)
    l2.calls.length = 0
    expect(await cache.getOrSet('k', fails, options)).toBe('old')
    expect(l2.calls).toEqual(['get'])
    expect(await node().get('k')).toBeUndefined()
    vi.advanceTimersByTime(9_999)
    expect(await cache.getOrSet('k', () => 'too early', options)).toBe('old')
    vi.advanceTimersByTime(1)
    expect(await cache.getOrSet('k', () => 'new', options)).toBe('new')
  })

  it('does not refresh a throttled value eagerly', async () => {
    const { cache } = openNode()
    const eager = { ...options, eagerRefresh: 0.1 } as const
    await cache.set('k', 'old', eager)
    vi.advanceTimersByTime(1_000)
    expect(await cache.getOrSet('k', fails, eager)).toBe('old')
    vi.advanceTimersByTime(9_000)
    const factory = vi.fn(() => 'new')
    expect(await cache.getOrSet('k', factory, eager)).toBe('old')
    await quiet()
    expect(factory).not.toHaveBeenCalled()
  })

  it('uses the newer of the stale values in memory and in the distributed cache', async () => {
    const { cache, node } = openNode()
    await cache.set('k', 'memory', options)
    vi.advanceTimersByTime(1)
    await node().set('k', 'distributed', options)
    vi.advanceTimersByTime(1_000)
    expect(await cache.getOrSet('k', fails, options)).toBe('distributed')
  })

  it('uses the default value where nothing is stale', async () => {
    const { cache } = openNode()
    const defaults = { failSafe: { defaultValue: 'default' } }
    expect(await cache.getOrSet('k', fails, defaults)).toBe('default')
  })

  it('is not triggered by the cancellation of the caller', async () => {
    const { cache } = openNode()
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(1_000)
    const controller = new AbortController()
    const value = cache.getOrSet('k', ({ signal }) => rejectOn(signal), {
      ...options,
      signal: controller.signal,
    })
    value.catch(() => {})
    await quiet()
    controller.abort(new Error('cancelled'))
    await expect(value).rejects.toThrow('cancelled')
  })

  it('is not what a read-only get does', async () => {
    const { cache } = openNode()
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(1_000)
    expect(await cache.get('k')).toBeUndefined()
  })
})

describe('Factory Timeouts', () => {
  const timeouts = { soft: 100, hard: 300 }

  it('soft where fail-safe has a stale value, else hard', async () => {
    const { cache } = openNode()
    await cache.set('stale', 'old', options)
    vi.advanceTimersByTime(1_000)
    const never = (): Promise<string> => new Promise(() => {})
    const both = { ...options, factoryTimeouts: timeouts }
    const soft = cache.getOrSet('stale', never, both)
    const hard = cache.getOrSet('none', never, both)
    hard.catch(() => {})
    await later(100)
    expect(await soft).toBe('old')
    expect(await Promise.race([hard, 'pending'])).toBe('pending')
    await later(200)
    await expect(hard).rejects.toMatchObject({ code: 'L2_FACTORY_TIMEOUT' })
  })

  it('the timed-out factory keeps the lock and completes in the background', async () => {
    const { cache, node } = openNode()
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(1_000)
    const made = new Deferred<string>()
    const factory = vi.fn(() => made.promise)
    const soft = { ...options, factoryTimeouts: timeouts, failSafe: { throttle: 1 } }
    const value = cache.getOrSet('k', factory, soft)
    await later(100)
    expect(await value).toBe('old')
    vi.advanceTimersByTime(10)
    const again = cache.getOrSet('k', factory, soft)
    made.resolve('new')
    expect([await again, factory.mock.calls.length]).toEqual(['new', 1])
    expect(await node().get('k')).toBe('new')
  })
})

describe('Distributed Cache Timeouts', () => {
  it('a distributed cache that is slow is a miss', async () => {
    const { l2, cache, node } = openNode()
    await node().set('k', 'late')
    l2.holdAfter('get')
    const value = cache.getOrSet('k', () => 'made', { l2Timeouts: { soft: 100 } })
    await later(100)
    expect(await value).toBe('made')
  })

  it('its own timeouts count for the circuit breaker: a hanging server trips it', async () => {
    const { l2, cache } = openNode()
    const told = vi.fn()
    cache.on('breaker', told)
    for (let i = 0; i < 5; i++) {
      l2.holdAfter('get')
      const hanging = { l2Timeouts: { soft: 100 }, skipL2Write: true }
      const value = cache.getOrSet(`${i}`, () => i, hanging)
      await later(100)
      expect(await value).toBe(i)
    }
    expect(told).toHaveBeenCalledWith(expect.objectContaining({ state: 'open', cause: 'timeout' }))
    await cache.close()
  })
})

describe('Eager Refresh', () => {
  const eager = { ttl: 1_000, eagerRefresh: 0.9 } as const

  it('happens on a hit after the threshold, in the background, through the key’s lock', async () => {
    const { cache } = openNode()
    await cache.getOrSet('k', () => 'old', eager)
    vi.advanceTimersByTime(900)
    const made = new Deferred<string>()
    const factory = vi.fn(() => made.promise)
    expect(await cache.getOrSet('k', factory, eager)).toBe('old')
    expect(await cache.getOrSet('k', factory, eager)).toBe('old')
    await quiet()
    vi.advanceTimersByTime(100)
    const missing = cache.getOrSet('k', factory, eager)
    made.resolve('new')
    expect([await missing, factory.mock.calls.length]).toEqual(['new', 1])
  })

  it('does not happen where nobody asks', async () => {
    const { cache } = openNode()
    const factory = vi.fn(() => 'old')
    await cache.getOrSet('k', factory, eager)
    await later(2_000)
    expect(factory).toHaveBeenCalledTimes(1)
  })
})

describe('Adaptive Caching', () => {
  it('a factory decides on duration and tags', async () => {
    const { cache } = openNode()
    await cache.getOrSet('k', context => {
      context.options.ttl = 10
      context.tags = ['t']
      return 1
    })
    vi.advanceTimersByTime(10)
    expect(await cache.get('k')).toBeUndefined()
  })
})

describe('Conditional Refresh', () => {
  it('NotModified() keeps the stale value for another duration', async () => {
    const { cache, node } = openNode()
    await cache.set('k', { etag: 'x' }, options)
    vi.advanceTimersByTime(1_000)
    const value = await cache.getOrSet(
      'k',
      context => (context.stale ? context.notModified() : fails()),
      options,
    )
    expect([value, await node().get('k')]).toEqual([{ etag: 'x' }, { etag: 'x' }])
  })
})

describe('Tagging, Expire, Remove, Clear', () => {
  it('RemoveByTag removes on all nodes that have no memory of their own', async () => {
    const { cache, node } = openNode()
    await cache.set('k', 1, { tags: ['a', 'b'] })
    await cache.deleteByTag('b')
    expect([await cache.get('k'), await node().get('k')]).toEqual([undefined, undefined])
  })

  it('a factory that began before RemoveByTag or Clear does not bring its value back', async () => {
    for (const remove of [
      (cache: Cache) => cache.deleteByTag('t'),
      (cache: Cache) => cache.clear(),
      (cache: Cache) => cache.delete('k'),
    ]) {
      const { cache, node } = openNode()
      const made = new Deferred<string>()
      const value = cache.getOrSet('k', () => made.promise, { tags: ['t'] })
      await quiet()
      await remove(cache)
      made.resolve('outdated')
      expect(await value).toBe('outdated')
      expect([await cache.get('k'), await node().get('k')]).toEqual([undefined, undefined])
    }
  })

  it('Expire marks memory, removes from the distributed cache, and leaves fail-safe its value', async () => {
    const { raw, cache } = openNode()
    await cache.set('k', 'old', { ttl: '1h', failSafe })
    await cache.expire('k')
    expect(await raw.get('k')).toBeUndefined()
    expect(await cache.getOrSet('k', fails, options)).toBe('old')
  })

  it('Remove and Clear leave fail-safe nothing', async () => {
    for (const remove of [(cache: Cache) => cache.delete('k'), (cache: Cache) => cache.clear()]) {
      const { cache } = openNode()
      await cache.set('k', 'old', { ttl: '1h', failSafe })
      await remove(cache)
      await expect(cache.getOrSet('k', fails, options)).rejects.toBe(down)
    }
  })
})

describe('Cache Stampede', () => {
  it('runs one factory for any number of callers', async () => {
    const { cache } = openNode()
    const factory = vi.fn(async () => 'value')
    const all = await Promise.all(Array.from({ length: 1_000 }, () => cache.getOrSet('k', factory)))
    expect([new Set(all).size, factory.mock.calls.length]).toEqual([1, 1])
  })
})

function rejectOn(signal: AbortSignal): Promise<string> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
