import { MemoryAdapter, MemoryStorage } from '@l2/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Cache } from '../src/index.js'
import { Deferred, quiet } from './controlled-adapter.js'

const failSafe = { maxDuration: '1h', throttle: '10s' } as const

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

function two() {
  const storage = new MemoryStorage()
  const open = (): Cache => new Cache({ l2: new MemoryAdapter({ storage, sweepInterval: 0 }) })
  return { cache: open(), other: open() }
}

describe('what a factory is given', () => {
  it('lets it choose ttl and tags, in both layers', async () => {
    const { cache, other } = two()
    const factory = (): Promise<string> =>
      cache.getOrSet(
        'k',
        async context => {
          expect(context.options).toMatchObject({ ttl: 60_000, tags: ['given'] })
          context.options.ttl = '1s'
          context.tags = [...context.tags, 'found']
          return 'value'
        },
        { ttl: '1m', tags: ['given'] },
      )
    await factory()
    expect(await other.get('k')).toBe('value')
    vi.advanceTimersByTime(1_000)
    expect([await cache.get('k'), await other.get('k')]).toEqual([undefined, undefined])
    for (const tag of ['given', 'found']) {
      await factory()
      expect(await other.get('k')).toBe('value')
      await other.deleteByTag(tag)
      await cache.deleteByTag(tag)
      expect([await cache.get('k'), await other.get('k')]).toEqual([undefined, undefined])
    }
  })

  it('does not touch the caller’s options, nor those of the next call', async () => {
    const { cache } = two()
    const options = { ttl: '1m', tags: ['t'], failSafe } as const
    await cache.getOrSet(
      'a',
      context => {
        context.options.ttl = 1
        context.tags = []
        return 1
      },
      options,
    )
    expect(options).toEqual({ ttl: '1m', tags: ['t'], failSafe })
    await cache.getOrSet('b', context => void expect(context.options.ttl).toBe(60_000), options)
  })

  it('checks what the factory has made of its options: the call rejects, and nothing is stored', async () => {
    const { cache } = two()
    const bad = cache.getOrSet('k', context => {
      context.options.ttl = 'soon' as never
      return 1
    })
    await expect(bad).rejects.toThrow('context.options.ttl must be a number of ms or a string')
    expect(await cache.get('k')).toBeUndefined()
  })

  it('gives the stale value of either layer, with its tags and time of creation', async () => {
    const { cache, other } = two()
    await other.set('k', { v: 1 }, { ttl: 1_000, failSafe, tags: ['t'] })
    vi.advanceTimersByTime(1_000)
    const stale = { value: { v: 1 }, tags: ['t'], createdAt: 1_000_000 }
    for (const each of [cache, other]) {
      const seen = await each.getOrSet(
        'k',
        context => {
          // Nothing is stored.
          expect(context.stale).toEqual(stale)
          return undefined
        },
        { failSafe },
      )
      expect(seen).toBeUndefined()
    }
    await cache.getOrSet('none', context => void expect(context.stale).toBeUndefined())
  })

  it('notModified() stores the stale value anew, with the tags that it had', async () => {
    const { cache, other } = two()
    const options = { ttl: 1_000, failSafe, tags: ['given'] } as const
    await cache.getOrSet(
      'k',
      context => {
        context.tags = ['given', 'found']
        return 'old'
      },
      options,
    )
    vi.advanceTimersByTime(1_000)
    const value: string = await cache.getOrSet(
      'k',
      async context => (context.stale === undefined ? 'new' : context.notModified()),
      options,
    )
    expect([value, await cache.get('k'), await other.get('k')]).toEqual(['old', 'old', 'old'])
    await cache.deleteByTag('found')
    expect(await cache.get('k')).toBeUndefined()
  })

  it('notModified() without a stale value is an error', async () => {
    const { cache } = two()
    await expect(cache.getOrSet('k', context => context.notModified())).rejects.toThrow(
      'there is no stale value',
    )
  })

  it('a tag that only the factory knows: a call that joins after its deletion gets a new value', async () => {
    const { cache } = two()
    const read = new Deferred<void>()
    const factory = vi.fn(async (context: { tags: readonly string[] }) => {
      const value = factory.mock.calls.length
      await read.promise
      context.tags = ['found']
      return value
    })
    const before = cache.getOrSet('k', factory)
    await quiet()
    await cache.deleteByTag('found')
    const after = cache.getOrSet('k', factory)
    read.resolve()
    expect([await before, await after]).toEqual([1, 2])
    expect(await cache.get('k')).toBe(2)
  })

  it('infers the type of a factory that looks at its context', async () => {
    const cache = new Cache()
    const value = await cache.getOrSet('k', async ({ signal, stale }) => {
      signal.throwIfAborted()
      return { id: 1, had: stale !== undefined }
    })
    const id: number = value.id
    expect(id).toBe(1)
  })
})
