import { MemoryAdapter, MemoryStorage } from '@l2/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Cache, type CacheOptions } from '../src/index.js'
import { ControlledAdapter, Deferred, quiet } from './controlled-adapter.js'

afterEach(() => {
  vi.useRealTimers()
})

const make = vi.fn((keys: string[]) => keys.map(key => [key, `made ${key}`] as const))

function open(more: Omit<CacheOptions, 'l2'> = {}) {
  const storage = new MemoryStorage()
  const l2 = new ControlledAdapter(new MemoryAdapter({ storage }))
  make.mockClear()
  return {
    l2,
    cache: new Cache({ l2, ...more }),
    other: new Cache({ l2: new MemoryAdapter({ storage }) }),
  }
}

const pairs = (map: Map<string, unknown>): unknown[] => [...map]

describe('getOrSetMany', () => {
  it('runs one factory for all that is missing, after one turn of reads', async () => {
    const { l2, cache, other } = open()
    await cache.set('l1', 'in L1')
    await other.set('l2', 'in L2')
    l2.calls.length = 0
    const values = cache.getOrSetMany(['a', 'l1', 'b', 'l2', 'a'], make)
    // All reads leave in the caller's turn: adapters make one round trip of them.
    expect(l2.calls).toEqual(['get', 'get', 'get'])
    expect(pairs(await values)).toEqual([
      ['a', 'made a'],
      ['l1', 'in L1'],
      ['b', 'made b'],
      ['l2', 'in L2'],
    ])
    expect(make.mock.calls.map(([keys]) => keys)).toEqual([['a', 'b']])
    expect(l2.calls.slice(3)).toEqual(['set', 'set'])
    expect(await other.get('a')).toBe('made a')
    expect(cache.stats()).toMatchObject({ l1Hits: 1, l2Hits: 1, misses: 2, factories: 2 })
  })

  it('goes without a factory where nothing is missing, and takes no keys at all', async () => {
    const { cache } = open()
    await cache.set('k', 1)
    expect(pairs(await cache.getOrSetMany(['k'], make))).toEqual([['k', 1]])
    expect(pairs(await cache.getOrSetMany([], make))).toEqual([])
    expect(make).not.toHaveBeenCalled()
  })

  it('works with L1 alone', async () => {
    const cache = new Cache()
    make.mockClear()
    expect(pairs(await cache.getOrSetMany(new Set(['a', 'b']), make))).toHaveLength(2)
    expect(pairs(await cache.getOrSetMany(['b', 'c'], make))).toHaveLength(2)
    expect(make.mock.calls.map(([keys]) => keys)).toEqual([['a', 'b'], ['c']])
  })

  it('leaves out what has no value, and drops what was not asked for', async () => {
    const { cache } = open()
    const values = await cache.getOrSetMany(['a', 'b', 'c'], async () => {
      const map = new Map<string, unknown>([['b', null]])
      return map.set('a', undefined).set('stranger', 1)
    })
    expect(pairs(values)).toEqual([['b', null]])
    expect(await cache.get('stranger')).toBeUndefined()
    expect(await cache.get('a')).toBeUndefined()
  })

  it('waits for what other calls are making, and makes the rest', async () => {
    const { cache } = open()
    const made = new Deferred<string>()
    const one = cache.getOrSet('a', () => made.promise)
    const many = cache.getOrSetMany(['a', 'b'], make)
    await quiet()
    expect(make.mock.calls.map(([keys]) => keys)).toEqual([['b']])
    expect(await cache.getOrSet('b', () => 'never')).toBe('made b')
    made.resolve('one')
    expect([await one, pairs(await many)]).toEqual([
      'one',
      [
        ['a', 'one'],
        ['b', 'made b'],
      ],
    ])
    expect(cache.stats().joined).toBe(1)
  })

  it('two of them at once make each key once', async () => {
    const { cache } = open()
    const all = await Promise.all([
      cache.getOrSetMany(['a', 'b'], make),
      cache.getOrSetMany(['b', 'c'], make),
      cache.getOrSetMany(['a', 'c'], make),
    ])
    expect(all.map(map => map.size)).toEqual([2, 2, 2])
    expect(make.mock.calls.map(([keys]) => keys)).toEqual([['a', 'b'], ['c']])
  })

  it('has one whose keys all wait for others run its factory when they are revoked', async () => {
    const { cache } = open()
    const made = new Deferred<void>()
    const one = cache.getOrSet('a', async context => {
      await made.promise
      context.tags = ['t']
      return 'outdated'
    })
    await quiet()
    await cache.deleteByTag('t')
    const many = cache.getOrSetMany(['a'], make)
    made.resolve()
    expect([await one, pairs(await many)]).toEqual(['outdated', [['a', 'made a']]])
  })

  it('rejects as a whole where the factory fails, or returns no pairs', async () => {
    const { cache } = open()
    const down = new Error('down')
    await expect(cache.getOrSetMany(['a', 'b'], () => Promise.reject(down))).rejects.toBe(down)
    await expect(cache.getOrSetMany(['a'], () => ({ a: 1 }) as never)).rejects.toThrow(
      'the factory must return pairs of key and value',
    )
    expect(pairs(await cache.getOrSetMany(['a', 'b'], make))).toHaveLength(2)
  })

  it('takes stale values, each where it has one', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
    const { cache } = open()
    const options = { ttl: 1_000, failSafe: { defaultValue: 'default' } }
    await cache.set('a', 'old', options)
    vi.advanceTimersByTime(1_000)
    const fails = (): never => {
      throw new Error('down')
    }
    expect(pairs(await cache.getOrSetMany(['a', 'b'], fails, options))).toEqual([
      ['a', 'old'],
      ['b', 'default'],
    ])
  })

  it('refreshes what is due in the background, by one factory', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
    const { cache } = open()
    const options = { ttl: 1_000, eagerRefresh: 0.5 }
    await cache.getOrSetMany(['a', 'b'], keys => keys.map(key => [key, 'old'] as const), options)
    vi.advanceTimersByTime(500)
    const values = await cache.getOrSetMany(['a', 'b', 'c'], make, options)
    expect(pairs(values)).toEqual([
      ['a', 'old'],
      ['b', 'old'],
      ['c', 'made c'],
    ])
    await quiet()
    expect(make.mock.calls.map(([keys]) => keys)).toEqual([['a', 'b'], ['c']])
    expect(await cache.get('a')).toBe('made a')
  })

  it('tells each key’s stale value, and takes tags and ttl of its own', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
    const { cache, other } = open()
    await cache.set('a', 'old', { ttl: 1_000, failSafe: true })
    vi.advanceTimersByTime(1_000)
    await cache.getOrSetMany(['a', 'b'], (keys, context) => {
      expect(keys.map(key => context.of(key).stale?.value)).toEqual(['old', undefined])
      expect(() => context.of('stranger')).toThrow(TypeError)
      for (const key of keys) context.of(key).tags = [key, 'all']
      context.of('b').options.ttl = 10
      return keys.map(key => [key, context.of(key).stale ? context.of(key).notModified() : 'new'])
    })
    expect(await other.get('a')).toBe('old')
    await cache.deleteByTag('a')
    expect([await cache.get('a'), await cache.get('b')]).toEqual([undefined, 'new'])
    vi.advanceTimersByTime(10)
    expect(await cache.get('b')).toBeUndefined()
  })

  it('aborts its factory when all calls that wait for its keys have been aborted', async () => {
    const { cache } = open()
    const [first, second] = [new AbortController(), new AbortController()]
    let signal: AbortSignal | undefined
    const many = cache.getOrSetMany(
      ['a', 'b'],
      (_, context) => {
        signal = context.signal
        return new Promise<[string, string][]>(() => {})
      },
      { signal: first.signal },
    )
    many.catch(() => {})
    await quiet()
    const joined = cache.getOrSet('b', () => 'never', { signal: second.signal })
    joined.catch(() => {})
    first.abort(new Error('first'))
    await expect(many).rejects.toThrow('first')
    expect(signal?.aborted).toBe(false)
    second.abort(new Error('second'))
    await expect(joined).rejects.toThrow('second')
    expect(signal?.aborted).toBe(true)
  })

  it('runs no factory for calls that have all been aborted by then', async () => {
    const { l2, cache } = open()
    const controller = new AbortController()
    const answer = l2.holdAfter('get')
    const many = cache.getOrSetMany(['a', 'b'], make, { signal: controller.signal })
    many.catch(() => {})
    await answer.reached
    await quiet()
    controller.abort(new Error('gone'))
    await expect(many).rejects.toThrow('gone')
    answer.open()
    await quiet()
    expect(make).not.toHaveBeenCalled()
  })

  it('checks its arguments', async () => {
    const { l2, cache } = open()
    for (const keys of ['abc', 5, null, [1], ['\uD800']])
      await expect(cache.getOrSetMany(keys as never, make)).rejects.toThrow(TypeError)
    await expect(cache.getOrSetMany(['a'], 5 as never)).rejects.toThrow(TypeError)
    await expect(cache.getOrSetMany(['a'], make, { ttl: -1 })).rejects.toThrow(RangeError)
    expect(l2.calls).toEqual([])
  })

  it('infers types from its factory', async () => {
    const cache = new Cache()
    const values = await cache.getOrSetMany(['a'], (keys, { signal }) => {
      signal.throwIfAborted()
      return keys.map(key => [key, { id: key.length }] as const)
    })
    const id: number | undefined = values.get('a')?.id
    expect(id).toBe(1)
  })
})
