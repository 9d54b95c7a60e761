import { L2Error, MemoryAdapter, MemoryStorage } from '@l2/core'
import { describe, expect, it, vi } from 'vitest'
import { Cache, type CacheEvents } from '../src/index.js'
import { ControlledAdapter } from './controlled-adapter.js'

const down = new L2Error('L2_UNAVAILABLE', 'down')

function open(l1?: false) {
  const storage = new MemoryStorage()
  const l2 = new ControlledAdapter(new MemoryAdapter({ storage }))
  const cache = new Cache({ l2, l1, includeKeys: true })
  const other = new Cache({ l2: new MemoryAdapter({ storage }), l1: false })
  const told: CacheEvents['l2Error'][] = []
  cache.on('l2Error', event => told.push(event))
  return { l2, cache, other, told }
}

describe('when L2 fails', () => {
  it('getOrSet carries on with the factory and L1, and tells', async () => {
    const { l2, cache, told } = open()
    l2.failures.set('get', down).set('set', down)
    expect(await cache.getOrSet('k', () => 1)).toBe(1)
    expect(await cache.getOrSet('k', () => 2)).toBe(1)
    expect(told).toEqual([
      { operation: 'get', key: 'k', degraded: true, error: down },
      { operation: 'set', key: 'k', degraded: true, error: down },
    ])
    expect(cache.stats()).toMatchObject({ l2Errors: 2, misses: 1, l1Hits: 1, factories: 1 })
  })

  it('get rejects: a failure does not look like a miss', async () => {
    const { l2, cache, told } = open()
    l2.failures.set('get', down)
    await expect(cache.get('k')).rejects.toBe(down)
    expect(told).toEqual([{ operation: 'get', key: 'k', degraded: false, error: down }])
    expect(cache.stats()).toMatchObject({ misses: 0, l2Errors: 1 })
    expect(await cache.get('k')).toBeUndefined()
  })

  it('get takes what has come into L1 meanwhile', async () => {
    const { l2, cache, told } = open()
    const answer = l2.holdAfter('get')
    const value = cache.get('k')
    await answer.reached
    await cache.set('k', 1)
    answer.fail(down)
    expect(await value).toBe(1)
    expect(told).toMatchObject([{ operation: 'get', degraded: true }])
  })

  it('set rejects, and L1 has the new value', async () => {
    const { l2, cache, told } = open()
    await cache.set('k', 'old')
    l2.failures.set('set', down)
    await expect(cache.set('k', 'new')).rejects.toBe(down)
    expect(await cache.get('k')).toBe('new')
    expect(told).toEqual([{ operation: 'set', key: 'k', degraded: false, error: down }])
  })

  it.each(['delete', 'deleteByTag', 'clear'] as const)(
    '%s rejects, and the value is gone from L1',
    async what => {
      const { l2, cache, told } = open()
      await cache.set('k', 'old', { tags: ['t'] })
      l2.failures.set(what, down)
      const attempt = what === 'clear' ? cache.clear() : cache[what](what === 'delete' ? 'k' : 't')
      await expect(attempt).rejects.toBe(down)
      expect(cache.stats().l1Entries).toBe(0)
      const about = { delete: { key: 'k' }, deleteByTag: { tag: 't' }, clear: {} }[what]
      expect(told).toEqual([{ operation: what, ...about, degraded: false, error: down }])
    },
  )

  it('goes on alike with an adapter that throws instead of rejecting', async () => {
    const l2 = new MemoryAdapter()
    const broken = {
      ...Object.fromEntries(
        ['set', 'delete', 'deleteByTag', 'clear', 'ping'].map(name => [name, fail]),
      ),
      get: fail,
    }
    function fail(): never {
      throw down
    }
    const cache = new Cache({ l2: broken as unknown as typeof l2 })
    expect(await cache.getOrSet('k', () => 1)).toBe(1)
    await expect(cache.set('k', 2)).rejects.toBe(down)
    await expect(cache.delete('k')).rejects.toBe(down)
    await expect(cache.clear()).rejects.toBe(down)
  })
})

describe('values that cannot be written', () => {
  const circular: { self?: unknown } = {}
  circular.self = circular

  it.each([[circular], [1n], [() => 1]])(
    '%s: set and getOrSet reject and store nothing',
    async value => {
      const { l2, cache } = open()
      await cache.set('k', 'before')
      await expect(cache.set('k', value)).rejects.toThrow(TypeError)
      expect(await cache.get('k')).toBe('before')
      await expect(cache.getOrSet('new', () => value)).rejects.toThrow(TypeError)
      expect(await cache.get('new')).toBeUndefined()
      expect(l2.calls).toEqual(['set', 'get', 'get'])
    },
  )

  it('a serializer that returns no bytes: a TypeError', async () => {
    const serializer = { serialize: () => 'text' as never, deserialize: () => 1 }
    const cache = new Cache({ l2: new MemoryAdapter(), serializer })
    await expect(cache.set('k', 1)).rejects.toThrow(TypeError)
    expect(cache.stats().l1Entries).toBe(0)
  })

  it('over 64 MiB serialized: a RangeError, and nothing is stored', async () => {
    const bytes = new Uint8Array(64 * 2 ** 20 + 1)
    const l2 = new ControlledAdapter(new MemoryAdapter())
    const cache = new Cache({ l2, serializer: { serialize: () => bytes, deserialize: () => 1 } })
    await expect(cache.set('k', 1)).rejects.toThrow(RangeError)
    await expect(cache.getOrSet('k', () => 1)).rejects.toThrow(RangeError)
    expect([l2.calls, cache.stats().l1Entries]).toEqual([['get'], 0])
  })

  it('any value goes where there is no L2', async () => {
    const cache = new Cache()
    await cache.set('k', circular)
    expect(await cache.get('k')).toBe(circular)
  })
})

describe('an adapter without tags', () => {
  const untagged = () => new ControlledAdapter(new MemoryAdapter(), { tags: false })

  it('takes no tags: an invalidation would not happen', async () => {
    const l2 = untagged()
    const cache = new Cache({ l2 })
    const factory = vi.fn(() => 1)
    const calls = [
      cache.set('k', 1, { tags: ['t'] }),
      cache.getOrSet('k', factory, { tags: ['t'] }),
      cache.deleteByTag('t'),
    ]
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'L2_UNSUPPORTED' })
    expect(factory).not.toHaveBeenCalled()
    expect([l2.calls, cache.stats().l1Entries]).toEqual([[], 0])
  })

  it('does everything else', async () => {
    const cache = new Cache({ l2: untagged() })
    await cache.set('k', 1, { tags: [] })
    expect(await cache.getOrSet('j', () => 2)).toBe(2)
    await cache.clear()
    expect(await cache.get('k')).toBeUndefined()
  })
})
