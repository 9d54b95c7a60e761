import { MemoryAdapter, MemoryStorage } from '@l2/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Cache, type CacheOptions } from '../src/index.js'
import { ControlledAdapter, Deferred, quiet } from './controlled-adapter.js'

const options = { ttl: 1_000, eagerRefresh: 0.8 } as const

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

function open(more: Omit<CacheOptions, 'l2'> = {}) {
  const storage = new MemoryStorage()
  const l2 = new ControlledAdapter(new MemoryAdapter({ storage, sweepInterval: 0 }))
  return {
    l2,
    cache: new Cache({ l2, ...more }),
    other: new Cache({ l2: new MemoryAdapter({ storage, sweepInterval: 0 }) }),
  }
}

describe('eagerRefresh', () => {
  it('refreshes once in the background, after its part of the ttl', async () => {
    const { cache } = open()
    await cache.getOrSet('k', () => 'old', options)
    const factory = vi.fn(() => 'new')
    vi.advanceTimersByTime(799)
    expect(await cache.getOrSet('k', factory, options)).toBe('old')
    await quiet()
    expect(factory).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(await cache.getOrSet('k', factory, options)).toBe('old')
    await quiet()
    expect(await cache.getOrSet('k', factory, options)).toBe('new')
    await quiet()
    expect(factory).toHaveBeenCalledTimes(1)
    expect(cache.stats()).toMatchObject({ refreshes: 1, factories: 2, misses: 1 })
    // The new value has a life of its own.
    vi.advanceTimersByTime(799)
    expect(await cache.getOrSet('k', () => 'newer', options)).toBe('new')
  })

  it('does not begin a second one while the first runs, nor another after it failed', async () => {
    const { cache } = open()
    const told: unknown[] = []
    cache.on('factoryError', ({ error }) => told.push(error))
    await cache.getOrSet('k', () => 'old', options)
    vi.advanceTimersByTime(800)
    const made = new Deferred<string>()
    const factory = vi.fn(() => made.promise)
    for (let i = 0; i < 3; i++) expect(await cache.getOrSet('k', factory, options)).toBe('old')
    const down = new Error('down')
    made.reject(down)
    await quiet()
    expect(await cache.getOrSet('k', factory, options)).toBe('old')
    await quiet()
    expect([factory.mock.calls.length, told]).toEqual([1, [down]])
    // Expired, it is an ordinary miss.
    vi.advanceTimersByTime(200)
    expect(await cache.getOrSet('k', () => 'new', options)).toBe('new')
  })

  it('shares its lock with a miss', async () => {
    const { cache } = open()
    await cache.getOrSet('k', () => 'old', options)
    vi.advanceTimersByTime(800)
    const made = new Deferred<string>()
    const factory = vi.fn(() => made.promise)
    expect(await cache.getOrSet('k', factory, options)).toBe('old')
    await quiet()
    vi.advanceTimersByTime(200)
    const missing = cache.getOrSet('k', factory, options)
    made.resolve('new')
    expect([await missing, factory.mock.calls.length]).toEqual(['new', 1])
  })

  it('does not refresh for get', async () => {
    const { l2, cache } = open()
    await cache.getOrSet('k', () => 'old', options)
    vi.advanceTimersByTime(900)
    l2.calls.length = 0
    expect(await cache.get('k')).toBe('old')
    await quiet()
    expect(l2.calls).toEqual([])
  })

  it('works after a promotion from L2, which keeps the time of creation', async () => {
    const { cache, other } = open()
    await other.getOrSet('k', () => 'old', options)
    vi.advanceTimersByTime(500)
    const factory = vi.fn(() => 'new')
    expect(await cache.getOrSet('k', factory, options)).toBe('old')
    vi.advanceTimersByTime(299)
    expect(await cache.getOrSet('k', factory, options)).toBe('old')
    await quiet()
    expect(factory).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(await cache.getOrSet('k', factory, options)).toBe('old')
    await quiet()
    expect(await cache.getOrSet('k', factory, options)).toBe('new')
    expect(await other.get('k', { skipL1Read: true })).toBe('new')
  })

  it('takes what another process has made meanwhile, and spares the factory', async () => {
    const { cache, other } = open()
    await cache.getOrSet('k', () => 'old', options)
    vi.advanceTimersByTime(700)
    await other.set('k', 'theirs', options)
    vi.advanceTimersByTime(200)
    const factory = vi.fn(() => 'new')
    expect(await cache.getOrSet('k', factory, options)).toBe('old')
    await quiet()
    expect(await cache.getOrSet('k', factory, options)).toBe('theirs')
    expect(factory).not.toHaveBeenCalled()
  })

  it('goes on without L2', async () => {
    const { l2, cache } = open()
    await cache.getOrSet('k', () => 'old', options)
    vi.advanceTimersByTime(800)
    l2.failures.set('get', new Error('down'))
    expect(await cache.getOrSet('k', () => 'new', options)).toBe('old')
    await quiet()
    expect(await cache.get('k')).toBe('new')
  })

  it('is not undone by, and does not undo, what comes meanwhile', async () => {
    const { cache } = open()
    for (const invalidate of [
      () => cache.delete('k'),
      () => cache.deleteByTag('t'),
      () => cache.expire('k'),
      () => cache.clear(),
    ]) {
      await cache.set('k', 'old', { ...options, tags: ['t'] })
      vi.advanceTimersByTime(800)
      const made = new Deferred<string>()
      const refresh = { ...options, tags: ['t'] }
      expect(await cache.getOrSet('k', () => made.promise, refresh)).toBe('old')
      await quiet()
      await invalidate()
      made.resolve('outdated')
      await quiet()
      expect(await cache.get('k')).toBeUndefined()
    }
  })

  it('gives the factory what is being replaced', async () => {
    const { cache } = open()
    await cache.set('k', 'old', { ...options, tags: ['t'] })
    vi.advanceTimersByTime(800)
    const stale = vi.fn()
    await cache.getOrSet(
      'k',
      context => {
        stale(context.stale)
        return 'new'
      },
      options,
    )
    await quiet()
    expect(stale).toHaveBeenCalledWith({ value: 'old', tags: ['t'], createdAt: 1_000_000 })
  })

  it('is off where an entry never expires, and by false', async () => {
    const { cache } = open({ defaults: options })
    const factory = vi.fn(() => 'new')
    await cache.set('never', 'old', { ttl: 0 })
    await cache.set('off', 'old', { eagerRefresh: false })
    vi.advanceTimersByTime(999)
    expect(await cache.getOrSet('never', factory)).toBe('old')
    expect(await cache.getOrSet('off', factory)).toBe('old')
    await quiet()
    expect(factory).not.toHaveBeenCalled()
  })

  it('is waited for by close() no longer than its signal', async () => {
    const { cache } = open()
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(800)
    let signal: AbortSignal | undefined
    await cache.getOrSet(
      'k',
      context => {
        signal = context.signal
        return new Promise<string>(() => {})
      },
      options,
    )
    await quiet()
    await cache.close()
    expect(signal?.aborted).toBe(true)
  })
})
