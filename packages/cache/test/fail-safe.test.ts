import {
  decodeEnvelope,
  encodeEnvelope,
  L2Error,
  MemoryAdapter,
  MemoryStorage,
  NEVER,
} from '@l2/core'
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

describe('expire', () => {
  it.each([
    ['L1 and L2', {}],
    ['L1 alone', { l2: undefined }],
    ['L2 alone', { l1: false }],
  ] as const)('has the next getOrSet run its factory, with %s', async (_, more) => {
    const cache = new Cache({ l2: new MemoryAdapter(), ...more })
    await cache.set('k', 'old', options)
    await cache.expire('k')
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.getOrSet('k', () => 'new', options)).toBe('new')
    expect(await cache.get('k')).toBe('new')
    await cache.expire('absent')
  })

  it('leaves the value to calls whose factory fails', async () => {
    const { cache } = open()
    await cache.set('k', 'old', options)
    await cache.expire('k')
    expect(await cache.getOrSet('k', fails, options)).toBe('old')
    await cache.delete('k')
    await expect(cache.getOrSet('k', fails, options)).rejects.toBe(down)
  })

  it('leaves what would never have expired', async () => {
    const { cache } = open()
    await cache.set('k', 'old')
    await cache.expire('k')
    await expect(cache.getOrSet('k', fails)).rejects.toBe(down)
    expect(await cache.getOrSet('k', fails, options)).toBe('old')
  })

  it('stays, whatever the clock is set to', async () => {
    const { cache } = open()
    vi.setSystemTime(START + 40 * 365 * 24 * 60 * MINUTE)
    await cache.set('k', 'old', options)
    await cache.expire('k')
    vi.setSystemTime(START)
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.getOrSet('k', fails, options)).toBe('old')
  })

  it('ranks what nobody knows the age of after what L2 has', async () => {
    const { cache, l2 } = open()
    const store = (value: string, logicalExpiry: number) =>
      l2.set(
        'k',
        encodeEnvelope({
          payload: Buffer.from(JSON.stringify(value)),
          logicalExpiry,
          physicalExpiry: START + 60 * MINUTE,
          tags: [],
        }),
      )
    await store('in L1', START + MINUTE)
    expect(await cache.get('k')).toBe('in L1')
    await cache.expire('k')
    await store('in L2', START - 30 * 24 * 60 * MINUTE)
    expect(await cache.getOrSet('k', fails, options)).toBe('in L2')
  })

  it('is seen by other processes: L2 has it no more', async () => {
    const { cache, node } = open()
    await cache.set('k', 'old', options)
    await cache.expire('k')
    expect(await node().get('k')).toBeUndefined()
  })

  it('does not lengthen a life that is over', async () => {
    const { cache } = open()
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(60 * MINUTE)
    await cache.expire('k')
    await expect(cache.getOrSet('k', fails, options)).rejects.toBe(down)
  })

  it('is not undone by a factory that began before', async () => {
    const { cache } = open()
    const factory = new Deferred<string>()
    const value = cache.getOrSet('k', () => factory.promise, options)
    await new Promise(resolve => setImmediate(resolve))
    await cache.expire('k')
    factory.resolve('old')
    expect(await value).toBe('old')
    expect(await cache.get('k')).toBeUndefined()
  })

  it('rejects where L2 failed, and the value is stale in L1', async () => {
    const { cache, l2 } = open()
    await cache.set('k', 'old', options)
    const error = new L2Error('L2_UNAVAILABLE', 'down')
    l2.failures.set('delete', error)
    const told: unknown[] = []
    cache.on('l2Error', event => told.push(event))
    await expect(cache.expire('k')).rejects.toBe(error)
    expect(told).toEqual([{ operation: 'expire', key: 'k', degraded: false, error }])
    expect(cache.stats().l1Entries).toBe(1)
  })
})

describe('times', () => {
  const envelopeOf = async (storage: MemoryStorage) =>
    decodeEnvelope((await new MemoryAdapter({ storage }).get('k')) as Uint8Array)

  it('has a ttl of its own in L2', async () => {
    const { cache, storage, node } = open()
    await cache.set('k', 1, { ttl: '1m', l2Ttl: '2m' })
    expect(await envelopeOf(storage)).toMatchObject({
      logicalExpiry: START + 2 * MINUTE,
      physicalExpiry: START + 2 * MINUTE,
    })
    vi.advanceTimersByTime(MINUTE)
    expect([cache.stats().l1Hits, await cache.get('k'), cache.stats().l2Hits]).toEqual([0, 1, 1])
    vi.advanceTimersByTime(MINUTE)
    expect([await cache.get('k'), await node().get('k')]).toEqual([undefined, undefined])
  })

  it('keeps what fails safe until maxDuration, or its ttl where that is longer', async () => {
    const { cache, storage } = open()
    await cache.set('k', 1, options)
    expect(await envelopeOf(storage)).toMatchObject({
      logicalExpiry: START + MINUTE,
      physicalExpiry: START + 60 * MINUTE,
    })
    await cache.set('k', 1, { ...options, l2Ttl: '2h' })
    expect(await envelopeOf(storage)).toMatchObject({
      logicalExpiry: START + 120 * MINUTE,
      physicalExpiry: START + 120 * MINUTE,
    })
    await cache.set('k', 1, { failSafe })
    expect(await envelopeOf(storage)).toMatchObject({
      logicalExpiry: NEVER,
      physicalExpiry: NEVER,
    })
  })

  it('adds up to jitter, the same to each', async () => {
    const { cache, storage } = open()
    const added = new Set<number>()
    for (let i = 0; i < 200; i++) {
      await cache.set('k', 1, { ...options, jitter: '10s' })
      const { logicalExpiry, physicalExpiry } = await envelopeOf(storage)
      const jitter = logicalExpiry - START - MINUTE
      expect(physicalExpiry).toBe(START + 60 * MINUTE + jitter)
      added.add(jitter)
    }
    expect(Math.min(...added)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...added)).toBeLessThanOrEqual(10_000)
    expect(added.size).toBeGreaterThan(100)
  })

  it.each([
    { ttl: NEVER, jitter: 1_000 },
    { ttl: NEVER },
    { ttl: NEVER - START },
    { ttl: 1_000, l2Ttl: NEVER },
    { ttl: 1_000, jitter: 5_000, failSafe: { maxDuration: NEVER } },
  ])('what would end later than any time ends never: %j', async longest => {
    const { cache, l2, storage } = open()
    const set = vi.spyOn(l2, 'set')
    await cache.set('k', 'v', longest)
    expect((await envelopeOf(storage)).physicalExpiry).toBe(NEVER)
    expect(set.mock.lastCall?.[2]).toMatchObject({ ttl: 0 })
  })

  it('adds nothing to what never expires', async () => {
    const { cache, storage } = open()
    await cache.set('k', 1, { jitter: '10s' })
    expect((await envelopeOf(storage)).logicalExpiry).toBe(NEVER)
  })

  it('jitters L1 as it does L2', async () => {
    const { cache, storage } = open()
    await cache.set('k', 1, { ttl: '1m', jitter: '1h' })
    const { logicalExpiry } = await envelopeOf(storage)
    await new MemoryAdapter({ storage }).delete('k')
    vi.setSystemTime(logicalExpiry - 1)
    expect(await cache.get('k')).toBe(1)
    vi.setSystemTime(logicalExpiry)
    expect(await cache.get('k')).toBeUndefined()
  })
})
