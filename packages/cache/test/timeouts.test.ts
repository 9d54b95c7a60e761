import { MemoryAdapter } from '@l2/core'
import { describe, expect, it, vi } from 'vitest'
import { Cache, type CacheEvents, type CacheOptions } from '../src/index.js'
import { ControlledAdapter, Deferred, quiet } from './controlled-adapter.js'
import { fakeTime, later } from './support/fake-time.js'

const MINUTE = 60_000
const failSafe = { maxDuration: '1h', throttle: '10s' } as const

fakeTime(1_000_000)

function open(more: Omit<CacheOptions, 'l2'> = {}) {
  const l2 = new ControlledAdapter(new MemoryAdapter({ sweepInterval: 0 }))
  const cache = new Cache({ l2, ...more })
  const told: CacheEvents['failSafe'][] = []
  cache.on('failSafe', event => told.push(event))
  return { l2, cache, told }
}

async function withStale(cache: Cache): Promise<void> {
  await cache.set('k', 'old', { ttl: '1m', failSafe })
  vi.advanceTimersByTime(MINUTE)
}

/** What a promise has come to by now. */
async function stateOf(work: Promise<unknown>): Promise<unknown> {
  await quiet()
  return Promise.race([work, 'pending'])
}

describe.each([
  ['L1 and L2', {}],
  ['L2 alone', { l1: false }],
] as const)('factoryTimeouts.soft with %s', (_, more) => {
  const options = { ttl: '1m', failSafe, factoryTimeouts: { soft: 100 } } as const

  it('gives the stale value, and stores what the factory makes later, once', async () => {
    const { l2, cache, told } = open(more)
    await withStale(cache)
    const made = new Deferred<string>()
    const factory = vi.fn(() => made.promise)
    const value = cache.getOrSet('k', factory, options)
    await later(99)
    expect(await stateOf(value)).toBe('pending')
    await later(1)
    expect(await value).toBe('old')
    expect(told).toMatchObject([{ error: { code: 'L2_FACTORY_TIMEOUT' } }])
    l2.calls.length = 0
    made.resolve('new')
    await quiet()
    expect(await cache.getOrSet('k', factory, options)).toBe('new')
    expect(factory).toHaveBeenCalledTimes(1)
    expect(l2.calls.filter(call => call === 'set')).toEqual(['set'])
  })

  it('does nothing where there is no stale value', async () => {
    const { cache } = open(more)
    const made = new Deferred<string>()
    const value = cache.getOrSet('k', () => made.promise, options)
    await later(1_000)
    expect(await stateOf(value)).toBe('pending')
    made.resolve('new')
    expect(await value).toBe('new')
  })

  it('does nothing where failSafe is off', async () => {
    const { cache } = open(more)
    await withStale(cache)
    const made = new Deferred<string>()
    const value = cache.getOrSet('k', () => made.promise, { factoryTimeouts: { soft: 100 } })
    await later(1_000)
    expect(await stateOf(value)).toBe('pending')
    made.resolve('new')
    expect(await value).toBe('new')
  })

  it('does not bring back what is invalidated while the factory runs', async () => {
    for (const invalidate of [
      (cache: Cache) => cache.delete('k'),
      (cache: Cache) => cache.clear(),
    ]) {
      const { cache } = open(more)
      await withStale(cache)
      const made = new Deferred<string>()
      const value = cache.getOrSet('k', () => made.promise, options)
      await later(50)
      await invalidate(cache)
      await later(100)
      expect(await stateOf(value)).toBe('pending')
      made.resolve('new')
      expect(await value).toBe('new')
      expect(await cache.get('k')).toBeUndefined()
    }
  })
})

it('a soft timeout is not waited for again while the stale value is throttled', async () => {
  const { cache } = open()
  await withStale(cache)
  const made = new Deferred<string>()
  const factory = vi.fn(() => made.promise)
  const options = { ttl: '1m', failSafe, factoryTimeouts: { soft: 100 } } as const
  const value = cache.getOrSet('k', factory, options)
  await later(100)
  expect(await value).toBe('old')
  expect(await cache.getOrSet('k', factory, options)).toBe('old')
  // After the throttle the same flight is joined, with a soft timeout of the call's own.
  await later(10_000)
  const again = cache.getOrSet('k', factory, options)
  expect(await stateOf(again)).toBe('pending')
  await later(100)
  expect(await again).toBe('old')
  made.resolve('new')
  await quiet()
  expect([await cache.get('k'), factory.mock.calls.length]).toEqual(['new', 1])
})

it('a factory that fails after its soft timeout leaves the stale value, and is told', async () => {
  const { cache, told } = open()
  const errors: unknown[] = []
  cache.on('factoryError', ({ error }) => errors.push(error))
  await withStale(cache)
  const made = new Deferred<string>()
  const options = { ttl: '1m', failSafe, factoryTimeouts: { soft: 100 } } as const
  const value = cache.getOrSet('k', () => made.promise, options)
  await later(100)
  expect(await value).toBe('old')
  const down = new Error('the origin is down')
  made.reject(down)
  await quiet()
  expect([errors, told.length]).toEqual([[down], 1])
  expect(await cache.getOrSet('k', () => 'new', options)).toBe('old')
})

describe('factoryTimeouts.hard', () => {
  it('rejects with L2_FACTORY_TIMEOUT, and the factory goes on and is stored', async () => {
    const { cache } = open()
    const made = new Deferred<string>()
    let signal: AbortSignal | undefined
    const value = cache.getOrSet(
      'k',
      context => {
        signal = context.signal
        return made.promise
      },
      { factoryTimeouts: { hard: 200 } },
    )
    value.catch(() => {})
    await later(199)
    expect(await stateOf(value)).toBe('pending')
    await later(1)
    await expect(value).rejects.toMatchObject({ code: 'L2_FACTORY_TIMEOUT', retryable: true })
    expect(signal?.aborted).toBe(false)
    made.resolve('new')
    await quiet()
    expect(await cache.get('k')).toBe('new')
  })

  it('gives the stale value, or else the default one', async () => {
    const { cache } = open()
    await withStale(cache)
    const never = (): Promise<string> => new Promise(() => {})
    const options = { failSafe, factoryTimeouts: { hard: 200 } } as const
    const stale = cache.getOrSet('k', never, options)
    const fallback = cache.getOrSet('none', never, {
      ...options,
      failSafe: { ...failSafe, defaultValue: 'default' },
    })
    await later(200)
    expect([await stale, await fallback]).toEqual(['old', 'default'])
  })

  it('is measured from when the factory began, not from the read before', async () => {
    const { l2, cache } = open()
    const answer = l2.holdAfter('get')
    const made = new Deferred<string>()
    const value = cache.getOrSet('k', () => made.promise, { factoryTimeouts: { hard: 200 } })
    value.catch(() => {})
    await answer.reached
    await later(300)
    answer.open()
    await later(199)
    expect(await stateOf(value)).toBe('pending')
    await later(1)
    await expect(value).rejects.toMatchObject({ code: 'L2_FACTORY_TIMEOUT' })
  })

  it('does not count the write to L2', async () => {
    const { l2, cache } = open()
    const write = l2.holdAfter('set')
    const value = cache.getOrSet('k', () => 'new', {
      factoryTimeouts: { hard: 200 },
      l2Timeouts: { soft: 0 },
    })
    await write.reached
    await later(1_000)
    expect(await stateOf(value)).toBe('pending')
    write.open()
    expect(await value).toBe('new')
  })

  it('is each call’s own: one that waits longer gets the value', async () => {
    const { cache } = open()
    const made = new Deferred<string>()
    const factory = vi.fn(() => made.promise)
    const patient = cache.getOrSet('k', factory)
    const hasty = cache.getOrSet('k', factory, { factoryTimeouts: { hard: 100 } })
    hasty.catch(() => {})
    await later(100)
    await expect(hasty).rejects.toMatchObject({ code: 'L2_FACTORY_TIMEOUT' })
    made.resolve('new')
    expect([await patient, factory.mock.calls.length]).toEqual(['new', 1])
  })

  it('of all callers, and then the abort of one who joined, leaves the factory to its end', async () => {
    const { cache } = open()
    const made = new Deferred<string>()
    const controller = new AbortController()
    const factory = (): Promise<string> => made.promise
    const hasty = cache.getOrSet('k', factory, { factoryTimeouts: { hard: 100 } })
    const aborted = cache.getOrSet('k', factory, { signal: controller.signal })
    for (const one of [hasty, aborted]) one.catch(() => {})
    await later(100)
    controller.abort(new Error('gone'))
    await expect(aborted).rejects.toThrow('gone')
    made.resolve('new')
    await quiet()
    expect(await cache.get('k')).toBe('new')
  })
})

describe('lockTimeout', () => {
  it('has a call run its own factory, and the first to end is stored', async () => {
    const { cache } = open()
    const first = new Deferred<string>()
    const second = new Deferred<string>()
    const one = cache.getOrSet('k', () => first.promise)
    const other = cache.getOrSet('k', () => second.promise, { lockTimeout: 50 })
    await later(50)
    second.resolve('second')
    expect(await other).toBe('second')
    expect(await cache.get('k')).toBe('second')
    first.resolve('first')
    expect([await one, await cache.get('k')]).toEqual(['first', 'second'])
  })

  it('gives the stale value where there is one', async () => {
    const { cache } = open()
    await withStale(cache)
    const made = new Deferred<string>()
    const options = { failSafe, lockTimeout: 50 } as const
    const one = cache.getOrSet('k', () => made.promise, options)
    const other = cache.getOrSet('k', () => 'other', options)
    await later(50)
    expect(await other).toBe('old')
    made.resolve('new')
    expect(await one).toBe('new')
  })

  it('does not concern the call that began the flight', async () => {
    const { cache } = open()
    const made = new Deferred<string>()
    const value = cache.getOrSet('k', () => made.promise, { lockTimeout: 50 })
    await later(1_000)
    expect(await stateOf(value)).toBe('pending')
    made.resolve('new')
    expect(await value).toBe('new')
  })
})

describe('close()', () => {
  it('does not wait for a factory that nobody waits for, aborts it and stores nothing', async () => {
    const { l2, cache } = open()
    const made = new Deferred<string>()
    let signal: AbortSignal | undefined
    const value = cache.getOrSet(
      'k',
      context => {
        signal = context.signal
        return made.promise
      },
      { factoryTimeouts: { hard: 100 } },
    )
    value.catch(() => {})
    await later(100)
    await expect(value).rejects.toMatchObject({ code: 'L2_FACTORY_TIMEOUT' })
    await cache.close()
    expect(signal?.reason).toMatchObject({ code: 'L2_CLOSED' })
    made.resolve('new')
    await quiet()
    expect(l2.calls).toEqual(['get'])
  })

  it('waits for a call until its timeout, not longer', async () => {
    const { cache } = open()
    const value = cache.getOrSet('k', () => new Promise<string>(() => {}), {
      factoryTimeouts: { hard: 100 },
    })
    value.catch(() => {})
    await quiet()
    const closed = cache.close()
    expect(await stateOf(closed)).toBe('pending')
    await later(100)
    await closed
    await expect(value).rejects.toMatchObject({ code: 'L2_FACTORY_TIMEOUT' })
  })
})
