import { decodeEnvelope, MemoryAdapter, MemoryStorage } from '@l2/core'
import { describe, expect, it, vi } from 'vitest'
import { Cache } from '../src/index.js'
import { Deferred, quiet } from './controlled-adapter.js'
import { fakeTime, later } from './support/fake-time.js'
import { openNode } from './support/node.js'

// The Go library that the contract comes from has these bugs; ours must not. Its names are its own.

const START = 1_000_000
const MINUTE = 60_000
const HOUR = 60 * MINUTE

fakeTime(START)

const down = new Error('the origin is down')
const fails = (): never => {
  throw down
}
const failSafe = { maxDuration: '1h', throttle: '10s' } as const

describe('bugs of the Go library', () => {
  it('1: a stale value served for a failed factory is not stored as a fresh one', async () => {
    const { l2, cache, node } = openNode()
    const options = { ttl: '1m', failSafe } as const
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(MINUTE)
    l2.calls.length = 0
    expect(await cache.getOrSet('k', fails, options)).toBe('old')
    expect(l2.calls).toEqual(['get'])
    expect(await node().get('k')).toBeUndefined()
    // The throttle holds, and no longer than it should.
    const factory = vi.fn(() => 'new')
    vi.advanceTimersByTime(9_999)
    expect(await cache.getOrSet('k', factory, options)).toBe('old')
    vi.advanceTimersByTime(1)
    expect(await cache.getOrSet('k', factory, options)).toBe('new')
  })

  it('2: nor is one served after a soft or a hard timeout', async () => {
    for (const factoryTimeouts of [{ soft: 100 }, { hard: 100 }]) {
      const { l2, cache, node } = openNode()
      const options = { ttl: '1m', failSafe, factoryTimeouts } as const
      await cache.set('k', 'old', options)
      vi.advanceTimersByTime(MINUTE)
      l2.calls.length = 0
      const made = new Deferred<string>()
      const value = cache.getOrSet('k', () => made.promise, options)
      await later(100)
      expect(await value).toBe('old')
      made.reject(down)
      await quiet()
      expect(l2.calls).toEqual(['get'])
      expect(await node().get('k')).toBeUndefined()
      vi.advanceTimersByTime(20_000)
      expect(await cache.getOrSet('k', () => 'new', options)).toBe('new')
    }
  })

  it('3: nothing is served after its physical expiry, and L1 drops it', async () => {
    const { cache } = openNode()
    const options = { ttl: '1m', failSafe } as const
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(1_000 * HOUR)
    await expect(cache.getOrSet('k', fails, options)).rejects.toBe(down)
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.stats().l1Entries).toBe(0)
  })

  it('4: after expire the next getOrSet does not get the old value from L2', async () => {
    const { cache, node } = openNode()
    await cache.set('k', 'old', { ttl: '1m', failSafe })
    await cache.expire('k')
    expect(await cache.getOrSet('k', () => 'new')).toBe('new')
    await cache.expire('k')
    expect(await node().get('k')).toBeUndefined()
  })

  it('5: a key set again without a tag does not die with it', async () => {
    const { cache, node } = openNode()
    await cache.set('k', 'tagged', { tags: ['t'] })
    await cache.set('k', 'untagged')
    await cache.deleteByTag('t')
    expect([await cache.get('k'), await node().get('k')]).toEqual(['untagged', 'untagged'])
  })

  it('6: deleteByTag reaches what this node never had', async () => {
    const { cache, node } = openNode()
    await node().set('theirs', 1, { tags: ['t'] })
    await cache.deleteByTag('t')
    expect(await node().get('theirs')).toBeUndefined()
  })

  it('7: a lock timeout is no error: the call goes on without the lock', async () => {
    const { cache } = openNode()
    expect(await cache.getOrSet('alone', () => 1, { lockTimeout: 1 })).toBe(1)
    const made = new Deferred<string>()
    const holder = cache.getOrSet('k', () => made.promise)
    const waiter = cache.getOrSet('k', () => 'mine', { lockTimeout: 50 })
    await later(50)
    expect(await waiter).toBe('mine')
    made.resolve('theirs')
    expect(await holder).toBe('theirs')
  })

  it('8: the abort of the first caller does not fail the others', async () => {
    const { cache } = openNode()
    const made = new Deferred<string>()
    const controller = new AbortController()
    const factory = vi.fn(() => made.promise)
    const leader = cache.getOrSet('k', factory, { signal: controller.signal })
    const followers = [cache.getOrSet('k', factory), cache.getOrSet('k', factory)]
    await quiet()
    controller.abort(new Error('gone'))
    await expect(leader).rejects.toThrow('gone')
    made.resolve('value')
    expect(await Promise.all(followers)).toEqual(['value', 'value'])
    expect(factory).toHaveBeenCalledTimes(1)
  })

  it('9: an abort does not open the breaker, and while it is open one ping goes out at a time', async () => {
    const { l2, cache } = openNode({ breaker: { threshold: 1 } })
    const answer = l2.holdAfter('get')
    const controller = new AbortController()
    const aborted = cache.get('k', { signal: controller.signal })
    aborted.catch(() => {})
    await answer.reached
    await quiet()
    controller.abort(down)
    await expect(aborted).rejects.toBe(down)
    expect((await cache.health()).l2?.breaker).toBe('closed')

    l2.failures.set('get', down)
    await cache.get('k').catch(() => {})
    l2.calls.length = 0
    l2.holdBefore('ping')
    const values = Promise.all(
      Array.from({ length: 100 }, (_, i) => cache.getOrSet(`${i}`, () => i)),
    )
    await later(1_000)
    await values
    expect(l2.calls).toEqual(['ping'])
    await cache.close()
  })

  it('10: L2 keeps an entry exactly as long as its envelope says', async () => {
    const { l2, raw, cache } = openNode()
    const set = vi.spyOn(l2, 'set')
    await cache.set('k', 1, { ttl: '10m', l2Ttl: '2m', failSafe })
    const { logicalExpiry, physicalExpiry } = decodeEnvelope((await raw.get('k')) as Uint8Array)
    expect([logicalExpiry, physicalExpiry]).toEqual([START + 2 * MINUTE, START + HOUR])
    expect(set.mock.calls[0]?.[2]).toMatchObject({ ttl: HOUR })
  })

  it('11: an entry promoted from L2 is refreshed early, as one that was made here', async () => {
    const { cache, node } = openNode()
    const options = { ttl: 1_000, eagerRefresh: 0.8 } as const
    await node().set('k', 'old', options)
    vi.advanceTimersByTime(500)
    expect(await cache.getOrSet('k', fails, options)).toBe('old')
    vi.advanceTimersByTime(300)
    expect(await cache.getOrSet('k', () => 'new', options)).toBe('old')
    await quiet()
    expect(await cache.getOrSet('k', fails, options)).toBe('new')
  })

  it('12: defaults of one’s own leave the others as they were', async () => {
    const { cache } = openNode({ defaults: { tags: ['t'], failSafe: { throttle: 5 } } })
    await cache.set('k', 'old', { ttl: '1m' })
    vi.advanceTimersByTime(23 * HOUR)
    // maxDuration is still the built-in day.
    expect(await cache.getOrSet('k', fails)).toBe('old')
    await cache.deleteByTag('t')
    expect(await cache.get('k')).toBeUndefined()
  })

  it('13: after a hard timeout the factory goes on, and its value is stored', async () => {
    const { cache, node } = openNode()
    const made = new Deferred<string>()
    const value = cache.getOrSet('k', () => made.promise, { factoryTimeouts: { hard: 100 } })
    value.catch(() => {})
    await later(100)
    await expect(value).rejects.toMatchObject({ code: 'L2_FACTORY_TIMEOUT' })
    made.resolve('late')
    await quiet()
    expect([await cache.get('k'), await node().get('k')]).toEqual(['late', 'late'])
  })

  it('14: deleteByTag leaves nothing in the sets of other tags', async () => {
    const { cache } = openNode()
    await cache.set('k', 'old', { tags: ['a', 'b'] })
    await cache.deleteByTag('a')
    await cache.set('k', 'new')
    await cache.deleteByTag('b')
    expect(await cache.get('k')).toBe('new')
  })

  it('15: tags and clear of one tenant leave the others’ entries alone', async () => {
    const storage = new MemoryStorage()
    const tenant = (prefix: string): Cache =>
      new Cache({ l2: new MemoryAdapter({ storage, prefix, sweepInterval: 0 }), l1: false })
    const [a, b] = [tenant('a'), tenant('ab')]
    for (const each of [a, b]) await each.set('k', 1, { tags: ['t', 'bt'] })
    await a.deleteByTag('t')
    expect([await a.get('k'), await b.get('k')]).toEqual([undefined, 1])
    await a.deleteByTag('bt')
    await a.clear()
    expect(await b.get('k')).toBe(1)
  })

  it('16: each option does something: skipL2ReadWhenStale, the soft timeout, breaker events', async () => {
    const { l2, cache } = openNode()
    const told = vi.fn()
    cache.on('breaker', told)
    const options = { ttl: 1_000, failSafe, skipL2ReadWhenStale: true } as const
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(1_000)
    l2.calls.length = 0
    expect(await cache.getOrSet('k', () => 'new', options)).toBe('new')
    expect(l2.calls).toEqual(['set'])

    l2.holdBefore('get')
    const value = cache.getOrSet('slow', () => 'made', { l2Timeouts: { soft: 50 } })
    await later(50)
    expect(await value).toBe('made')
    for (let i = 0; i < 5; i++) {
      l2.failures.set('get', down)
      await cache.get('absent').catch(() => {})
    }
    await later(1_000)
    expect(told.mock.calls.map(([event]) => event.state)).toEqual(['open', 'closed'])
    await cache.close()
  })

  it('17: a background write does not end with the request that caused it', async () => {
    const { l2, cache, node } = openNode()
    const request = new AbortController()
    const write = l2.holdBefore('set')
    const options = { backgroundL2Writes: true, signal: request.signal }
    expect(await cache.getOrSet('k', () => 'value', options)).toBe('value')
    await write.reached
    request.abort()
    write.open()
    await quiet()
    expect(await node().get('k')).toBe('value')
  })

  it('18: jitter is in L1, in both expiries of the envelope, and in the ttl of L2, the same', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const { l2, raw, cache } = openNode()
    const set = vi.spyOn(l2, 'set')
    await cache.set('k', 1, { ttl: '1m', jitter: '10s', failSafe })
    vi.mocked(Math.random).mockRestore()
    const { logicalExpiry, physicalExpiry } = decodeEnvelope((await raw.get('k')) as Uint8Array)
    expect([logicalExpiry, physicalExpiry]).toEqual([START + 65_000, START + HOUR + 5_000])
    expect(set.mock.calls[0]?.[2]).toMatchObject({ ttl: HOUR + 5_000 })
    l2.calls.length = 0
    vi.advanceTimersByTime(64_999)
    expect(await cache.get('k')).toBe(1)
    expect(l2.calls).toEqual([])
    vi.advanceTimersByTime(1)
    expect(await cache.get('k')).toBeUndefined()
  })

  it('19: of two stale values the newer is served; a soft timeout without one stores once', async () => {
    const { l2, cache, node } = openNode()
    const options = { ttl: 1_000, failSafe } as const
    await cache.set('k', 'L1', options)
    vi.advanceTimersByTime(100)
    await node().set('k', 'L2, newer', options)
    vi.advanceTimersByTime(1_000)
    expect(await cache.getOrSet('k', fails, options)).toBe('L2, newer')

    l2.calls.length = 0
    const made = new Deferred<string>()
    const value = cache.getOrSet('none', () => made.promise, {
      ...options,
      factoryTimeouts: { soft: 50 },
    })
    await later(100)
    made.resolve('value')
    expect(await value).toBe('value')
    await quiet()
    expect(l2.calls).toEqual(['get', 'set'])
  })

  it('20: what a factory does to its options is its own; one that throws in the background kills nobody', async () => {
    const { cache } = openNode()
    const options = { ttl: 1_000, eagerRefresh: 0.5, tags: ['t'] }
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(500)
    const told = vi.fn()
    cache.on('factoryError', told)
    const value = await cache.getOrSet(
      'k',
      context => {
        context.options.ttl = 1
        context.tags = []
        throw down
      },
      options,
    )
    await quiet()
    expect([value, options.ttl, options.tags]).toEqual(['old', 1_000, ['t']])
    expect(told).toHaveBeenCalledWith({ error: down })
  })

  it('21: keys that look like tags, and prefixes of glob characters, are names like others', async () => {
    const storage = new MemoryStorage()
    const tenant = (prefix: string): Cache =>
      new Cache({ l2: new MemoryAdapter({ storage, prefix, sweepInterval: 0 }), l1: false })
    const [glob, plain] = [tenant('*'), tenant('x')]
    await plain.set('k', 1)
    for (const key of ['tag:t', 'tags:t', 't', '*']) await glob.set(key, key, { tags: ['t'] })
    await glob.set('short', 1, { ttl: 1, tags: ['t'] })
    vi.advanceTimersByTime(10)
    for (const key of ['tag:t', 'tags:t', 't', '*']) expect(await glob.get(key)).toBe(key)
    await glob.deleteByTag('t')
    for (const key of ['tag:t', 'tags:t', 't', '*']) expect(await glob.get(key)).toBeUndefined()
    await glob.clear()
    expect(await plain.get('k')).toBe(1)
  })

  it('22: listeners that were taken off leave nothing, and none costs nothing', async () => {
    const { cache } = openNode()
    const listener = vi.fn()
    for (let i = 0; i < 1_000; i++) {
      const each = (): void => listener()
      cache.on('miss', each).off('miss', each)
    }
    cache.on('miss', listener)
    await cache.get('k')
    expect(listener).toHaveBeenCalledTimes(1)
  })
})
