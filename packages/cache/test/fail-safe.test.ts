import { decodeEnvelope, L2Error, MemoryAdapter, MemoryStorage } from '@l2/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Cache, type CacheEvents, type CacheOptions } from '../src/index.js'
import { ControlledAdapter, Deferred } from './controlled-adapter.js'

const START = 1_000_000
const MINUTE = 60_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
})
afterEach(() => {
  vi.useRealTimers()
})

const down = new Error('the origin is down')
const fails = (): never => {
  throw down
}
const failSafe = { maxDuration: '1h', throttle: '10s' } as const
const options = { ttl: '1m', failSafe } as const

function open(more: Omit<CacheOptions, 'l2'> = {}) {
  const storage = new MemoryStorage()
  const l2 = new ControlledAdapter(new MemoryAdapter({ storage }))
  const cache = new Cache({ l2, includeKeys: true, ...more })
  const told: CacheEvents['failSafe'][] = []
  cache.on('failSafe', event => told.push(event))
  return { l2, cache, told, storage, node: () => new Cache({ l2: new MemoryAdapter({ storage }) }) }
}

describe.each([
  ['L1 and L2', {}],
  ['L2 alone', { l1: false }],
] as const)('fail-safe with %s', (_, more) => {
  it('serves the stale value where the factory fails, and tells', async () => {
    const { cache, told } = open(more)
    await cache.getOrSet('k', () => 'old', options)
    vi.advanceTimersByTime(MINUTE)
    expect(await cache.getOrSet('k', fails, options)).toBe('old')
    expect(await cache.getOrSet('rejects', () => 'old', options)).toBe('old')
    vi.advanceTimersByTime(MINUTE)
    expect(await cache.getOrSet('rejects', () => Promise.reject(down), options)).toBe('old')
    expect(told).toEqual([
      { key: 'k', error: down },
      { key: 'rejects', error: down },
    ])
    expect(cache.stats().failSafes).toBe(2)
  })

  it('is off by default, for entries as for calls', async () => {
    const { cache } = open(more)
    await cache.set('k', 'old', { ttl: '1m' })
    await cache.set('safe', 'old', options)
    vi.advanceTimersByTime(MINUTE)
    await expect(cache.getOrSet('k', fails, options)).rejects.toBe(down)
    await expect(cache.getOrSet('safe', fails, { ttl: '1m' })).rejects.toBe(down)
  })

  it('serves nothing older than maxDuration', async () => {
    const { cache } = open(more)
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(60 * MINUTE - 1)
    expect(await cache.getOrSet('k', fails, options)).toBe('old')
    // The throttle does not make it live longer.
    vi.advanceTimersByTime(1)
    await expect(cache.getOrSet('k', fails, options)).rejects.toBe(down)
  })

  it('is no hit for get', async () => {
    const { cache } = open(more)
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(MINUTE)
    expect(await cache.get('k')).toBeUndefined()
  })

  it('serves what another process stored', async () => {
    const { cache, node } = open(more)
    await node().set('k', 'old', options)
    vi.advanceTimersByTime(MINUTE)
    expect(await cache.getOrSet('k', fails, options)).toBe('old')
  })

  it('does not bring back what was deleted', async () => {
    const { cache } = open(more)
    await cache.set('k', 'old', { ...options, tags: ['t'] })
    vi.advanceTimersByTime(MINUTE)
    await cache.deleteByTag('t')
    await expect(cache.getOrSet('k', fails, options)).rejects.toBe(down)
  })

  it.each(['delete', 'deleteByTag', 'clear'] as const)(
    'does not bring back what %s takes while the factory runs',
    async how => {
      const { cache } = open(more)
      await cache.set('k', 'old', { ...options, tags: ['t'] })
      vi.advanceTimersByTime(MINUTE)
      const factory = new Deferred<string>()
      const started = new Deferred()
      const make = (): Promise<string> => {
        started.resolve()
        return factory.promise
      }
      const value = cache.getOrSet('k', make, options)
      await started.promise
      await (how === 'clear' ? cache.clear() : cache[how](how === 'delete' ? 'k' : 't'))
      factory.reject(down)
      await expect(value).rejects.toBe(down)
      expect(await cache.get('k')).toBeUndefined()
      await expect(cache.getOrSet('k', fails, options)).rejects.toBe(down)
    },
  )

  it('does not bring back what is deleted just when L2 has answered', async () => {
    for (let steps = 0; steps < 30; steps++) {
      const { cache, l2, node } = open(more)
      await node().set('k', 'old', { ...options, tags: ['t'] })
      vi.advanceTimersByTime(MINUTE)
      const answer = l2.holdAfter('get')
      const value = cache.getOrSet('k', fails, options).catch(() => undefined)
      await answer.reached
      answer.open()
      for (let step = 0; step < steps; step++) await null
      await (steps % 2 === 0 ? cache.delete('k') : cache.deleteByTag('t'))
      await value
      expect([steps, cache.stats().l1Entries]).toEqual([steps, 0])
    }
  })

  it('gives the default value where there is nothing stale', async () => {
    const { cache, told } = open(more)
    const withDefault = { ttl: '1m', failSafe: { ...failSafe, defaultValue: 'none' } } as const
    expect(await cache.getOrSet('k', fails, withDefault)).toBe('none')
    expect(told).toEqual([{ key: 'k', error: down }])
    vi.advanceTimersByTime(10_000)
    expect(await cache.getOrSet('k', () => 'new', withDefault)).toBe('new')
  })

  it('leaves the abort of all callers alone', async () => {
    const { cache, told } = open(more)
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(MINUTE)
    const controller = new AbortController()
    const heeding = ({ signal }: { signal: AbortSignal }): Promise<string> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const value = cache.getOrSet('k', heeding, { ...options, signal: controller.signal })
    await new Promise(resolve => setImmediate(resolve))
    controller.abort('enough')
    await expect(value).rejects.toBe('enough')
    expect(told).toEqual([])
  })
})

describe('fail-safe', () => {
  it('does not ask the factory again for throttle, nor L2', async () => {
    const { cache, l2 } = open()
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(MINUTE)
    const factory = vi.fn(fails)
    await cache.getOrSet('k', factory, options)
    const before = l2.calls.length
    vi.advanceTimersByTime(9_999)
    expect(await cache.getOrSet('k', factory, options)).toBe('old')
    expect([factory.mock.calls.length, l2.calls.length]).toEqual([1, before])
    vi.advanceTimersByTime(1)
    expect(await cache.getOrSet('k', factory, options)).toBe('old')
    expect(factory).toHaveBeenCalledTimes(2)
  })

  it('keeps the stale value from L2 and from other processes', async () => {
    const { cache, l2, node, storage } = open()
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(MINUTE)
    l2.calls.length = 0
    await cache.getOrSet('k', fails, options)
    expect(l2.calls).toEqual(['get'])
    const bytes = await new MemoryAdapter({ storage }).get('k')
    expect(decodeEnvelope(bytes as Uint8Array).logicalExpiry).toBe(START + MINUTE)
    expect(await node().getOrSet('k', () => 'new', options)).toBe('new')
    // What is better than it takes its place once the throttle is over.
    vi.advanceTimersByTime(10_000)
    expect(await cache.getOrSet('k', fails, options)).toBe('new')
  })

  it('takes the later one where L1 and L2 have stale values', async () => {
    const { cache, node } = open()
    await cache.set('k', 'older', options)
    vi.advanceTimersByTime(1_000)
    await node().set('k', 'newer', options)
    vi.advanceTimersByTime(MINUTE)
    expect(await cache.getOrSet('k', fails, options)).toBe('newer')
  })

  it('serves L1 where L2 is down as well', async () => {
    const { cache, l2 } = open()
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(MINUTE)
    l2.failures.set('get', new L2Error('L2_UNAVAILABLE', 'down'))
    expect(await cache.getOrSet('k', fails, options)).toBe('old')
  })

  it('gives a newer value that came into L1 while the factory ran', async () => {
    const { cache, told } = open()
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(MINUTE)
    const factory = new Deferred<string>()
    const value = cache.getOrSet('k', () => factory.promise, options)
    await new Promise(resolve => setImmediate(resolve))
    await cache.set('k', 'set', options)
    factory.reject(down)
    expect(await value).toBe('set')
    expect([told, await cache.get('k')]).toEqual([[], 'set'])
  })

  it('serves all who share the flight', async () => {
    const { cache } = open()
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(MINUTE)
    const factory = vi.fn(fails)
    const all = Array.from({ length: 100 }, () => cache.getOrSet('k', factory, options))
    expect(new Set(await Promise.all(all))).toEqual(new Set(['old']))
    expect(factory).toHaveBeenCalledTimes(1)
  })

  it('merges field by field with the defaults, and with the built-in values', async () => {
    const { cache } = open({ defaults: { ttl: '1m', failSafe: { maxDuration: '2m' } } })
    await cache.set('k', 'old')
    vi.advanceTimersByTime(MINUTE)
    expect(await cache.getOrSet('k', fails, { failSafe: { throttle: '5s' } })).toBe('old')
    vi.advanceTimersByTime(5_000)
    expect(await cache.getOrSet('k', () => 'new', { failSafe: false })).toBe('new')
    vi.advanceTimersByTime(MINUTE)
    // Stored without.
    await expect(cache.getOrSet('k', fails)).rejects.toBe(down)
    await cache.set('k', 'old')
    vi.advanceTimersByTime(2 * MINUTE)
    await expect(cache.getOrSet('k', fails)).rejects.toBe(down)
  })

  it.each([
    [{ failSafe: 1 }, TypeError, /^failSafe must be an object, true or false, not number/],
    [{ failSafe: null }, TypeError, /^failSafe must be an object, true or false, not null/],
    [{ failSafe: { duration: 1 } }, TypeError, /^failSafe: there is no duration, only maxDur/],
    [{ failSafe: { throttle: -1 } }, RangeError, /^failSafe\.throttle must be from 0/],
    [{ failSafe: { maxDuration: '1 h' } }, TypeError, /^failSafe\.maxDuration must be/],
    [{ jitter: '1' }, TypeError, /^jitter must be/],
    [{ l2Ttl: -1 }, RangeError, /^l2Ttl must be/],
  ])('refuses %j', async (bad, kind, message) => {
    const { cache, l2 } = open()
    await expect(cache.getOrSet('k', () => 1, bad as never)).rejects.toThrow(message)
    await expect(cache.set('k', 1, bad as never)).rejects.toThrow(kind)
    expect(l2.calls).toEqual([])
  })
})
