import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Cache, type CacheEvents, type CacheOptions } from '../src/index.js'
import { Deferred } from './controlled-adapter.js'
import { backends, type Place } from './support/backends.js'

// With real clocks: servers have their own.
const TTL = 300
const untilStale = () => sleep(TTL + 50)

const down = new Error('the origin is down')
const fails = (): never => {
  throw down
}

/** A cache as another process has it, closed when the test is over. */
function cacheOf(place: Place, options: Omit<CacheOptions, 'l2'> = {}): Cache {
  const l2 = place.open()
  // So that a slow machine does not look like a backend that is down.
  const defaults = { l2Timeouts: { soft: 0 }, ...options.defaults }
  const cache = new Cache({ ...options, l2, defaults })
  onTestFinished(() => cache.close())
  return cache
}

describe.each(Object.entries(backends))('a cache over %s', (_, newPlace) => {
  test.each([
    [null],
    [0],
    [''],
    [false],
    ['\u0000 Å 🜚'],
    [{ list: [1, null, { deep: '"' }], '': {} }],
  ])('shares %j', async value => {
    const place = newPlace()
    const [a, b] = [cacheOf(place), cacheOf(place)]
    const factory = vi.fn(() => value)
    expect(await a.getOrSet('made', factory)).toEqual(value)
    expect(await b.getOrSet('made', factory)).toEqual(value)
    expect(factory).toHaveBeenCalledTimes(1)
    await b.set('set', value)
    expect(await a.get('set')).toEqual(value)
    expect(await a.get('neither')).toBeUndefined()
    expect(a.stats()).toMatchObject({ l2Hits: 1, misses: 2, l2Errors: 0, corrupt: 0 })
    expect(b.stats()).toMatchObject({ l2Hits: 1, misses: 0, l2Errors: 0, corrupt: 0 })
  })

  test('runs one factory for a hundred calls, and none for the other cache', async () => {
    const place = newPlace()
    const [a, b] = [cacheOf(place), cacheOf(place)]
    const factory = vi.fn(async () => {
      await sleep(20)
      return { made: true }
    })
    const calls = Array.from({ length: 100 }, () => a.getOrSet('k', factory))
    for (const value of await Promise.all(calls)) expect(value).toEqual({ made: true })
    const others = Array.from({ length: 100 }, () => b.getOrSet('k', factory))
    for (const value of await Promise.all(others)) expect(value).toEqual({ made: true })
    expect(factory).toHaveBeenCalledTimes(1)
    expect(a.stats()).toMatchObject({ misses: 1, joined: 99, factories: 1 })
    expect(b.stats()).toMatchObject({ l2Hits: 1, joined: 99, factories: 0 })
  })

  test('removes by a tag exactly what carries it, whoever stored it and whoever asks', async () => {
    const place = newPlace()
    const [a, b] = [cacheOf(place), cacheOf(place, { l1: false })]
    await a.getOrSet('de', () => 'de', { tags: ['europe', 'de'] })
    await a.getOrSet('fr', context => {
      context.tags = ['europe', 'fr']
      return 'fr'
    })
    await a.getOrSetMany(['jp', 'kr'], keys => keys.map(key => [key, key]), { tags: ['asia'] })
    await a.set('xx', 'xx')
    const left = async (cache: Cache) => {
      const keys = ['de', 'fr', 'jp', 'kr', 'xx']
      const values = await Promise.all(keys.map(key => cache.get(key)))
      return values.filter(value => value !== undefined).join(' ')
    }
    expect(await left(b)).toBe('de fr jp kr xx')
    await b.deleteByTag('fr')
    expect(await left(b)).toBe('de jp kr xx')
    await b.deleteByTag('europe')
    expect(await left(b)).toBe('jp kr xx')
    await a.deleteByTag('asia')
    expect(await left(b)).toBe('xx')
    // A's own memory heard of what A removed.
    expect(await a.get('jp')).toBeUndefined()
    await b.deleteByTag('of nothing')
    expect(await left(b)).toBe('xx')
  })

  test('forgets after the ttl, in both layers', async () => {
    const place = newPlace()
    const [a, b] = [cacheOf(place), cacheOf(place)]
    await a.set('k', 1, { ttl: TTL })
    await a.set('longer in L2', 2, { ttl: TTL, l2Ttl: '1h' })
    await a.set('for ever', 3)
    expect(await b.get('k')).toBe(1)
    await untilStale()
    for (const cache of [a, b, cacheOf(place)]) {
      expect(await cache.get('k')).toBeUndefined()
      expect(await cache.getOrSet('longer in L2', fails)).toBe(2)
      expect(await cache.get('for ever')).toBe(3)
    }
  })

  test('delete and expire reach L2; an expired value is left to those whose factory fails', async () => {
    const place = newPlace()
    const [a, b] = [cacheOf(place, { defaults: { failSafe: true } }), cacheOf(place)]
    for (const key of ['deleted', 'expired']) await a.set(key, 'old')
    await a.delete('deleted')
    await a.expire('expired')
    expect(await b.get('deleted')).toBeUndefined()
    expect(await b.get('expired')).toBeUndefined()
    await expect(a.getOrSet('deleted', fails)).rejects.toBe(down)
    expect(await a.getOrSet('expired', fails)).toBe('old')
    await a.expire('expired')
    expect(await a.getOrSet('expired', () => 'new')).toBe('new')
    expect(await b.get('expired')).toBe('new')
  })

  test('serves what is stale in L2 to a process that never had it, where its factory fails', async () => {
    const place = newPlace()
    const options = { ttl: TTL, failSafe: { throttle: '1h' }, tags: ['t'] } as const
    await cacheOf(place).set('k', { price: 1 }, options)
    await untilStale()

    const b = cacheOf(place, { includeKeys: true })
    const told: CacheEvents['failSafe'][] = []
    b.on('failSafe', event => told.push(event))
    expect(await b.get('k')).toBeUndefined()
    await expect(b.getOrSet('k', fails)).rejects.toBe(down)
    expect(await b.getOrSet('k', fails, options)).toEqual({ price: 1 })
    expect(told).toEqual([{ key: 'k', error: down }])
    // From B's memory, while it is throttled; L2 was not given it anew.
    expect(await b.getOrSet('k', () => 'new', options)).toEqual({ price: 1 })
    expect(await cacheOf(place).get('k')).toBeUndefined()

    await cacheOf(place).deleteByTag('t')
    await expect(cacheOf(place).getOrSet('k', fails, options)).rejects.toBe(down)
  })

  test('takes the stale value of L2 where the factory is slow, and stores what it makes then', async () => {
    const place = newPlace()
    const options = { ttl: TTL, failSafe: true, factoryTimeouts: { soft: 20 } }
    await cacheOf(place).set('k', 'old', options)
    await untilStale()
    const b = cacheOf(place)
    const made = new Deferred<string>()
    expect(await b.getOrSet('k', () => made.promise, { ...options, ttl: '1h' })).toBe('old')
    made.resolve('new')
    await expect.poll(() => cacheOf(place).get('k')).toBe('new')
    expect(await b.get('k')).toBe('new')
  })

  test('refreshes early in the background, for the other processes too', async () => {
    const place = newPlace()
    const [a, b] = [cacheOf(place), cacheOf(place)]
    const options = { ttl: 60_000, eagerRefresh: 0.001 }
    await a.getOrSet('k', () => 'old', options)
    await sleep(80)
    const made = new Deferred<string>()
    const factory = vi.fn(() => made.promise)
    expect(await a.getOrSet('k', factory, options)).toBe('old')
    expect(await a.getOrSet('k', factory, options)).toBe('old')
    made.resolve('new')
    await expect.poll(() => a.get('k')).toBe('new')
    await a.close()
    expect(factory).toHaveBeenCalledTimes(1)
    expect(a.stats()).toMatchObject({ refreshes: 1, factories: 2 })
    expect(await b.get('k')).toBe('new')
  })

  test('reads many keys in one round trip, and asks one factory for those that are missing', async () => {
    const place = newPlace()
    // From 17 on Postgres takes two statements, beside each other.
    const keys = Array.from({ length: 16 }, (_, i) => `k${i}`)
    await cacheOf(place).getOrSetMany(keys, missing => missing.map(key => [key, key]))

    const { adapter, trips } = await place.openCounted()
    const cache = new Cache({ l2: adapter, defaults: { l2Timeouts: { soft: 0 } } })
    onTestFinished(() => cache.close())
    // Connects.
    await cache.get('none')
    const before = trips?.()
    const factory = vi.fn((missing: string[]) => missing.map(key => [key, 'made'] as const))
    expect(await cache.getOrSetMany(keys, factory)).toEqual(new Map(keys.map(key => [key, key])))
    if (before !== undefined) expect((trips?.() ?? 0) - before).toBe(1)
    expect(factory).not.toHaveBeenCalled()
    expect(cache.stats()).toMatchObject({ l2Hits: 16, factories: 0 })

    const found = await cache.getOrSetMany(['new', 'k7', 'newer', 'new'], factory)
    expect([...found]).toEqual([
      ['new', 'made'],
      ['k7', 'k7'],
      ['newer', 'made'],
    ])
    expect(factory.mock.calls.map(([missing]) => missing)).toEqual([['new', 'newer']])
    expect(await cacheOf(place).get('newer')).toBe('made')
  })

  test('clear({ l2: false }) empties L1 alone, clear() both', async () => {
    const place = newPlace()
    const [a, b] = [cacheOf(place), cacheOf(place)]
    await a.set('k', 1, { tags: ['t'] })
    await a.clear({ l2: false })
    expect(a.stats().l1Entries).toBe(0)
    expect(await a.get('k')).toBe(1)
    expect(a.stats()).toMatchObject({ l2Hits: 1, l1Hits: 0 })
    await a.clear()
    expect(await a.get('k')).toBeUndefined()
    expect(await b.get('k')).toBeUndefined()
  })

  test('close waits for what is under way, and leaves the adapter open', async () => {
    const place = newPlace()
    const l2 = place.open()
    const a = new Cache({ l2, defaults: { l2Timeouts: { soft: 0 }, backgroundL2Writes: true } })
    const made = new Deferred<string>()
    const value = a.getOrSet('k', () => made.promise)
    await a.set('in the background', 2)
    const closed = a.close()
    made.resolve('value')
    await closed
    expect(await value).toBe('value')
    await expect(a.get('k')).rejects.toMatchObject({ code: 'L2_CLOSED' })

    await l2.ping()
    const b = new Cache({ l2, l1: false })
    expect([await b.get('k'), await b.get('in the background')]).toEqual(['value', 2])
    await b.close()
  })

  test('says that it is well', async () => {
    const cache = cacheOf(newPlace())
    await cache.set('k', 1)
    expect(await cache.health()).toEqual({
      status: 'up',
      l1: { entries: 1, bytes: 0 },
      l2: { status: 'up', breaker: 'closed', latency: expect.any(Number) },
    })
  })
})
