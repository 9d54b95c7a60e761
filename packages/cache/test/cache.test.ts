import { MemoryAdapter, MemoryStorage, NEVER } from '@l2/core'
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest'
import { Cache, type CacheOptions, type Factory } from '../src/index.js'
import { ControlledAdapter, Deferred, quiet } from './controlled-adapter.js'

/** Every arrangement of layers that keeps anything. */
const arrangements: [string, () => CacheOptions][] = [
  ['L1 and L2', () => ({ l2: new MemoryAdapter() })],
  ['L1 alone', () => ({})],
  ['L2 alone', () => ({ l2: new MemoryAdapter(), l1: false })],
]

describe.each(arrangements)('Cache with %s', (_, options) => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([[null], [0], [''], [false], [{ a: [1] }], ['x']])('keeps %j', async value => {
    const cache = new Cache(options())
    await cache.set('set', value)
    expect(await cache.get('set')).toEqual(value)
    const factory = vi.fn(() => value)
    expect(await cache.getOrSet('made', factory)).toEqual(value)
    expect(await cache.getOrSet('made', factory)).toEqual(value)
    expect(await cache.get('made')).toEqual(value)
    expect(factory).toHaveBeenCalledTimes(1)
  })

  it('returns undefined from a factory and does not keep it', async () => {
    const cache = new Cache(options())
    const factory = vi.fn(async () => undefined)
    expect(await cache.getOrSet('k', factory)).toBeUndefined()
    expect(await cache.getOrSet('k', factory)).toBeUndefined()
    expect(factory).toHaveBeenCalledTimes(2)
  })

  it.each(['', '\0', 'a\nb', '__proto__', "'%_*?[]{}\\", 'Å', 'Å'])(
    'takes the key %j',
    async key => {
      const cache = new Cache(options())
      await cache.set('other', 'other')
      await cache.set(key, 'mine', { tags: [key] })
      expect([await cache.get(key), await cache.get('other')]).toEqual(['mine', 'other'])
      await cache.deleteByTag(key)
      expect([await cache.get(key), await cache.get('other')]).toEqual([undefined, 'other'])
    },
  )

  it.each([
    [1, 1],
    [0.3, 1],
    ['5m', 300_000],
  ] as const)('forgets after ttl %s', async (ttl, ms) => {
    const cache = new Cache(options())
    await cache.set('set', 1, { ttl })
    await cache.getOrSet('made', () => 1, { ttl })
    vi.advanceTimersByTime(ms - 1)
    expect([await cache.get('set'), await cache.get('made')]).toEqual([1, 1])
    vi.advanceTimersByTime(1)
    expect([await cache.get('set'), await cache.get('made')]).toEqual([undefined, undefined])
  })

  it('counts the ttl from when the factory was done', async () => {
    const cache = new Cache(options())
    const made = new Deferred<string>()
    const value = cache.getOrSet('k', () => made.promise, { ttl: 100 })
    await quiet()
    vi.advanceTimersByTime(500)
    made.resolve('value')
    await value
    vi.advanceTimersByTime(99)
    expect(await cache.get('k')).toBe('value')
  })

  it.each([undefined, 0, NEVER] as const)('never forgets with ttl %s', async ttl => {
    const cache = new Cache(options())
    await cache.set('k', 1, { ttl })
    vi.advanceTimersByTime(1e12)
    expect(await cache.get('k')).toBe(1)
  })

  it('takes ttl and tags from defaults, each where the call has none', async () => {
    const cache = new Cache({ ...options(), defaults: { ttl: '1s', tags: ['all'] } })
    await cache.set('neither', 1)
    await cache.set('ttl', 1, { ttl: 0 })
    await cache.set('tags', 1, { ttl: undefined, tags: [] })
    await cache.set('both', 1, { ttl: '1h', tags: ['own'] })
    const left = async () =>
      Promise.all(['neither', 'ttl', 'tags', 'both'].map(async key => (await cache.get(key)) ?? 0))
    await cache.deleteByTag('all')
    expect(await left()).toEqual([0, 0, 1, 1])
    vi.advanceTimersByTime(1_000)
    expect(await left()).toEqual([0, 0, 0, 1])
  })

  it('replaces value, ttl and tags together', async () => {
    const cache = new Cache(options())
    await cache.set('k', 1, { ttl: 10, tags: ['old'] })
    await cache.set('k', 2, { tags: ['new'] })
    await cache.deleteByTag('old')
    vi.advanceTimersByTime(10)
    expect(await cache.get('k')).toBe(2)
    await cache.deleteByTag('new')
    expect(await cache.get('k')).toBeUndefined()
  })

  it('deletes, clears, and minds neither absent keys nor absent tags', async () => {
    const cache = new Cache(options())
    await Promise.all([cache.delete('no'), cache.deleteByTag('no'), cache.clear()])
    for (const key of ['a', 'b', 'c']) await cache.set(key, key)
    await cache.delete('a')
    expect([await cache.get('a'), await cache.get('b')]).toEqual([undefined, 'b'])
    await cache.clear()
    expect([await cache.get('b'), await cache.get('c')]).toEqual([undefined, undefined])
  })

  it('runs one factory for each key at a time', async () => {
    const cache = new Cache(options())
    const made = new Deferred<number>()
    const factory = vi.fn(() => made.promise)
    const all = Array.from({ length: 1_000 }, () => cache.getOrSet('k', factory))
    const other = cache.getOrSet('other', () => 2)
    await quiet()
    made.resolve(1)
    expect(new Set(await Promise.all(all))).toEqual(new Set([1]))
    expect(await other).toBe(2)
    expect(factory).toHaveBeenCalledTimes(1)
  })

  it.each(['throws', 'rejects'])('passes on that a factory %s, and keeps nothing', async how => {
    const cache = new Cache(options())
    const failure = new Error('no')
    const factory = vi.fn<Factory<number>>(() => {
      if (how === 'throws') throw failure
      return Promise.reject(failure)
    })
    const all = [cache.getOrSet('k', factory), cache.getOrSet('k', factory)]
    for (const { reason } of (await Promise.allSettled(all)) as PromiseRejectedResult[])
      expect(reason).toBe(failure)
    // One that throws may have ended before the second call.
    if (how === 'rejects') expect(factory).toHaveBeenCalledTimes(1)
    expect(await cache.getOrSet('k', () => 3)).toBe(3)
  })

  it('lets a factory use other keys, and its own without waiting for it', async () => {
    const cache = new Cache(options())
    let own: Promise<number> | undefined
    const value = await cache.getOrSet('outer', async () => {
      own = cache.getOrSet('outer', () => 99)
      return (await cache.getOrSet('inner', () => 1)) + 1
    })
    expect([value, await own, await cache.get('inner')]).toEqual([2, 2, 1])
  })

  it('checks arguments first', async () => {
    const cache = new Cache(options())
    const bad: [string, ErrorConstructor, () => Promise<unknown>][] = [
      ['key', TypeError, () => cache.get(1 as never)],
      ['key', TypeError, () => cache.get('\ud800')],
      ['key', TypeError, () => cache.set('x'.repeat(65_537), 1)],
      ['key', TypeError, () => cache.delete(undefined as never)],
      ['key', TypeError, () => cache.getOrSet(null as never, () => 1)],
      ['factory', TypeError, () => cache.getOrSet('k', 1 as never)],
      ['value', TypeError, () => cache.set('k', undefined)],
      ['tag', TypeError, () => cache.deleteByTag('\udfff')],
      ['tag', TypeError, () => cache.set('k', 1, { tags: [1 as never] })],
      ['tags', TypeError, () => cache.getOrSet('k', () => 1, { tags: 'tag' as never })],
      ['ttl', RangeError, () => cache.set('k', 1, { ttl: -1 })],
      ['ttl', TypeError, () => cache.getOrSet('k', () => 1, { ttl: '5 min' as never })],
      ['options', TypeError, () => cache.set('k', 1, null as never)],
      ['options', TypeError, () => cache.clear(1 as never)],
      ['signal', TypeError, () => cache.get('k', { signal: {} as never })],
    ]
    for (const closed of [false, true]) {
      if (closed) await cache.close()
      for (const [what, kind, call] of bad) {
        const failure: unknown = await call().catch((error: unknown) => error)
        expect(failure).toBeInstanceOf(kind)
        expect((failure as Error).message).toMatch(new RegExp(`^${what} must `))
      }
    }
    expect(cache.stats()).toMatchObject({ misses: 0, factories: 0, l1Entries: 0 })
  })

  it('rejects with L2_CLOSED after close, which may be called again', async () => {
    const cache = new Cache(options())
    await cache.set('k', 1)
    await Promise.all([cache.close(), cache.close(), cache[Symbol.asyncDispose]()])
    const signal = AbortSignal.abort()
    const calls = [
      cache.get('k'),
      cache.get('k', { signal }),
      cache.getOrSet('k', () => 1),
      cache.set('k', 1),
      cache.delete('k'),
      cache.deleteByTag('k'),
      cache.clear(),
    ]
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'L2_CLOSED' })
  })

  it('close waits for what is in flight, which is stored', async () => {
    const given = options()
    const cache = new Cache(given)
    await cache.set('there', 1)
    const made = new Deferred<number>()
    const value = cache.getOrSet('k', () => made.promise)
    await quiet()
    let closed = false
    const closing = cache.close().then(() => {
      closed = true
    })
    await quiet()
    expect(closed).toBe(false)
    await expect(cache.get('there')).rejects.toMatchObject({ code: 'L2_CLOSED' })
    made.resolve(1)
    expect(await value).toBe(1)
    await closing
    // The adapter is still open.
    if (given.l2) expect(await new Cache({ l2: given.l2 }).get('k')).toBe(1)
  })
})

describe('Cache', () => {
  it('counts, and tells who listens', async () => {
    const cache = new Cache({ l2: new MemoryAdapter(), includeKeys: true })
    const told: unknown[] = []
    const listener = (event: unknown): void => void told.push(event)
    cache.on('hit', listener).on('miss', listener)
    await cache.get('k')
    await cache.getOrSet('k', () => 1)
    await cache.get('k')
    cache.off('hit', listener)
    await cache.get('k')
    expect(told).toEqual([{ key: 'k' }, { key: 'k' }, { key: 'k', layer: 'l1' }])
    expect(cache.stats()).toEqual({
      l1Hits: 2,
      l2Hits: 0,
      misses: 2,
      joined: 0,
      factories: 1,
      factoryErrors: 0,
      refreshes: 0,
      failSafes: 0,
      l2Errors: 0,
      corrupt: 0,
      l1Entries: 1,
      l1Bytes: 0,
    })
  })

  it('goes on where a listener throws, which is an uncaught exception', async () => {
    const cache = new Cache()
    const uncaught = new Deferred<unknown>()
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.once('uncaughtException', uncaught.resolve)
    const second = vi.fn()
    cache
      .on('miss', () => {
        throw new Error('listener')
      })
      .on('miss', second)
    expect(await cache.getOrSet('k', () => 1)).toBe(1)
    expect(await uncaught.promise).toMatchObject({ message: 'listener' })
    for (const other of others) process.on('uncaughtException', other)
    expect(second).toHaveBeenCalledTimes(1)
  })

  it.each(['nope', 'toString', '', undefined])('has no event %s', name => {
    const cache = new Cache()
    for (const call of ['on', 'off'] as const)
      expect(() => cache[call](name as never, () => {})).toThrow(
        new TypeError(
          `event must be one of hit, miss, l2Error, factoryError, failSafe, corrupt, breaker, not ${JSON.stringify(name) ?? 'undefined'}`,
        ),
      )
  })

  it('keeps values by reference in L1', async () => {
    const cache = new Cache({ l2: new MemoryAdapter() })
    const value = { at: new Date(0) }
    await cache.set('k', value)
    expect(await cache.get('k')).toBe(value)
  })

  it('asks nothing of L2 on an L1 hit, and two calls on a miss shared by a thousand', async () => {
    const l2 = new ControlledAdapter(new MemoryAdapter())
    const cache = new Cache({ l2 })
    await Promise.all(Array.from({ length: 1_000 }, () => cache.getOrSet('k', () => 1)))
    await cache.getOrSet('k', () => 2)
    await cache.get('k')
    expect(l2.calls).toEqual(['get', 'set'])
    expect(cache.stats()).toMatchObject({ l1Hits: 2, misses: 1, joined: 999, factories: 1 })
  })

  it('calls L2 in the turn of the caller, so that calls made in order take effect in order', async () => {
    const l2 = new ControlledAdapter(new MemoryAdapter())
    const cache = new Cache({ l2, l1: false })
    const calls = [cache.set('k', 1), cache.delete('k'), cache.set('k', 2), cache.get('k')]
    expect(l2.calls).toEqual(['set', 'delete', 'set', 'get'])
    expect((await Promise.all(calls))[3]).toBe(2)
  })

  it('gives L2 what is left to live, and 0 for never', async () => {
    const l2 = new MemoryAdapter()
    const set = vi.spyOn(l2, 'set')
    const cache = new Cache({ l2 })
    await cache.set('some', 1, { ttl: '1h', tags: ['t'] })
    await cache.set('never', 1)
    expect(set.mock.calls.map(call => call[2])).toEqual([
      { ttl: expect.closeTo(3_600_000, -2), tags: ['t'] },
      { ttl: 0, tags: [] },
    ])
  })

  it('keeps at most maxEntries in L1, 1 000 by default', async () => {
    const [small, standard] = [new Cache({ l1: { maxEntries: 2 } }), new Cache()]
    for (let i = 0; i < 1_500; i++)
      await Promise.all([small.set(`${i}`, i), standard.set(`${i}`, i)])
    expect([small.stats().l1Entries, standard.stats().l1Entries]).toEqual([2, 1_000])
  })

  it('deletes an entry from L2 whose life ended before it was written', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
    try {
      const storage = new MemoryStorage()
      const l2 = new ControlledAdapter(new MemoryAdapter({ storage }))
      const serializer = {
        serialize: (value: unknown) => {
          vi.advanceTimersByTime(5)
          return Buffer.from(JSON.stringify(value))
        },
        deserialize: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()),
      }
      const cache = new Cache({ l2, serializer })
      await cache.set('k', 'old')
      await cache.set('k', 'new', { ttl: 5 })
      expect(l2.calls).toEqual(['set', 'delete'])
      expect(await cache.get('k')).toBeUndefined()
    } finally {
      vi.useRealTimers()
    }
  })

  it.each([
    [{ l2: {} }, TypeError, 'l2 must be an Adapter: it has no method get'],
    [{ l2: null }, TypeError, 'l2 must be an Adapter, not null'],
    [{ l1: true }, TypeError, 'l1 must be an object or false, not boolean'],
    [{ l1: { maxEntries: '5' } }, TypeError, 'l1.maxEntries must be a number'],
    [{ l1: { maxEntries: 0 } }, RangeError, 'l1.maxEntries must be a whole number from 1'],
    [{ l1: { maxEntries: Infinity } }, RangeError, 'l1.maxEntries'],
    [{ l1: { maxEntries: 1.5 } }, RangeError, 'l1.maxEntries'],
    [{ serializer: { serialize() {} } }, TypeError, 'serializer must be a Serializer: it has no'],
    [{ defaults: { ttl: '5' } }, TypeError, 'defaults.ttl must be'],
    [{ defaults: { tags: 'x' } }, TypeError, 'tags must be an array'],
    [{ defaults: 5 }, TypeError, 'defaults must be an object, not number'],
    [null, TypeError, 'options must be an object'],
    [{ ttl: '5m' }, TypeError, /no ttl, only l2, .*; what is said of entries belongs in defaults/],
    [
      { L2: 1, backplan: 2 },
      TypeError,
      /^options: there is no L2, backplan, only l2, l1, serializer, defaults, breaker, logger, includeKeys$/,
    ],
    [{ l1: { max: 5 } }, TypeError, 'l1: there is no max, only maxEntries'],
    [
      { defaults: { tll: 5 } },
      TypeError,
      'defaults: there is no tll, only ttl, l2Ttl, jitter, tags, size, failSafe, factoryTimeouts, l2Timeouts, eagerRefresh, lockTimeout, backgroundL2Writes, skipL1Read, skipL1Write, skipL2Read, skipL2Write, skipL2ReadWhenStale',
    ],
    [new MemoryAdapter(), TypeError, 'must not be an adapter: new Cache({ l2: adapter })'],
  ])('refuses %j', (options, kind, message) => {
    expect(() => new Cache(options as never)).toThrow(kind)
    expect(() => new Cache(options as never)).toThrow(message)
  })

  it('infers types from the factory', async () => {
    const cache = new Cache()
    const user = cache.getOrSet('u', async () => ({ id: 1 as number }), { ttl: '5m' })
    expectTypeOf(user).resolves.toEqualTypeOf<{ id: number }>()
    expectTypeOf(cache.getOrSet('n', () => 1 as number)).resolves.toEqualTypeOf<number>()
    expectTypeOf(cache.get<string>('s')).resolves.toEqualTypeOf<string | undefined>()
    expectTypeOf(cache.get('s')).resolves.toBeUnknown()
    cache.on('hit', ({ layer }) => expectTypeOf(layer).toEqualTypeOf<'l1' | 'l2'>())
    // @ts-expect-error no unit
    await expect(cache.set('k', 1, { ttl: '5' })).rejects.toThrow(TypeError)
    // @ts-expect-error no such event
    expect(() => cache.on('hits', () => {})).toThrow(TypeError)
  })
})
