import { MemoryAdapter, MemoryStorage } from '@l2/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Cache, type CacheOptions } from '../src/index.js'
import { ControlledAdapter, quiet } from './controlled-adapter.js'

afterEach(() => {
  vi.useRealTimers()
})

function open(more: Omit<CacheOptions, 'l2'> = {}) {
  const storage = new MemoryStorage()
  const l2 = new ControlledAdapter(new MemoryAdapter({ storage, sweepInterval: 0 }))
  const other = new Cache({ l2: new MemoryAdapter({ storage, sweepInterval: 0 }), l1: false })
  return { l2, cache: new Cache({ l2, ...more }), other }
}

describe('L1 bounded by bytes', () => {
  it('counts the bytes of the serialized value', async () => {
    for (const options of [{}, { l2: new MemoryAdapter() }]) {
      const cache = new Cache({ ...options, l1: { maxBytes: 1_000 } })
      await cache.set('a', 'x'.repeat(398))
      expect(cache.stats()).toMatchObject({ l1Entries: 1, l1Bytes: 400 })
      await cache.getOrSet('b', () => 'x'.repeat(398))
      await cache.get('a')
      await cache.set('c', 'x'.repeat(398))
      expect(cache.stats()).toMatchObject({ l1Entries: 2, l1Bytes: 800 })
      const hits = cache.stats().l1Hits
      await Promise.all(['a', 'b', 'c'].map(key => cache.get(key)))
      expect(cache.stats().l1Hits).toBe(hits + 2)
    }
  })

  it('counts what comes from L2, and the size that an entry says', async () => {
    const { cache, other } = open({ l1: { maxBytes: 1_000 } })
    await other.set('k', 'x'.repeat(398))
    await cache.get('k')
    expect(cache.stats().l1Bytes).toBe(400)
    await cache.set('said', 'x', { size: 600 })
    expect(cache.stats()).toMatchObject({ l1Entries: 2, l1Bytes: 1_000 })
    await cache.set('k', 'x', { size: 401 })
    expect(cache.stats()).toMatchObject({ l1Entries: 1, l1Bytes: 401 })
  })

  it('keeps nothing that is too large by itself, not even what it replaces', async () => {
    const { l2, cache } = open({ l1: { maxBytes: 100 } })
    await cache.set('k', 'small', { tags: ['t'] })
    await cache.set('k', 'x'.repeat(99), { tags: ['t'] })
    expect(cache.stats()).toMatchObject({ l1Entries: 0, l1Bytes: 0 })
    l2.calls.length = 0
    expect(await cache.get('k')).toBe('x'.repeat(99))
    expect(l2.calls).toEqual(['get'])
    await cache.deleteByTag('t')
    expect(await cache.get('k')).toBeUndefined()
  })

  it('counts a default value', async () => {
    const cache = new Cache({ l1: { maxBytes: 100 } })
    const fails = (): never => {
      throw new Error('down')
    }
    expect(await cache.getOrSet('k', fails, { failSafe: { defaultValue: 'none' } })).toBe('none')
    expect(cache.stats().l1Bytes).toBe(6)
  })
})

describe('clone', () => {
  it.each([
    ['L1 and L2', () => open({ l1: { clone: true } }).cache],
    ['L1 alone', () => new Cache({ l1: { clone: true } })],
  ])('gives each call a copy of its own, with %s', async (_, make) => {
    const cache = make()
    const own = { list: [1] }
    await cache.set('k', own)
    own.list.push(2)
    const copies = [await cache.get<typeof own>('k'), await cache.get<typeof own>('k')]
    copies[0]?.list.push(3)
    expect(copies[1]).toEqual({ list: [1] })
    expect(await cache.getOrSet('k', () => own)).toEqual({ list: [1] })

    const [one, other] = await Promise.all([
      cache.getOrSet('made', () => own),
      cache.getOrSet('made', () => own),
    ])
    expect(one).toEqual(own)
    expect(new Set([own, one, other]).size).toBe(3)
    expect(await cache.getOrSet('nothing', () => undefined)).toBeUndefined()
    const many = await cache.getOrSetMany(['k', 'new'], () => [['new', own]])
    expect(many.get('new')).toEqual(own)
    expect(many.get('new')).not.toBe(own)
  })

  it('copies what came from L2, what is stale and what is the default', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
    const { cache, other } = open({ l1: { clone: true } })
    const failSafe = { throttle: 10, defaultValue: [0] }
    await other.set('k', [1], { ttl: 1_000, failSafe })
    const copy = (await cache.get('k')) as number[]
    copy.push(2)
    expect(await cache.get('k')).toEqual([1])
    vi.advanceTimersByTime(1_000)
    const options = { ttl: 1_000, failSafe }
    const fails = (context: { stale: { value: unknown } | undefined }): number[] => {
      ;(context.stale?.value as number[] | undefined)?.push(3)
      throw new Error('down')
    }
    for (let i = 0; i < 3; i++) {
      const stale = await cache.getOrSet('k', fails, options)
      expect(stale).toEqual([1])
      stale.push(4)
      const fallback = await cache.getOrSet('none', fails, options)
      expect(fallback).toEqual([0])
      fallback.push(5)
      vi.advanceTimersByTime(10)
    }
    expect(failSafe.defaultValue).toEqual([0])
  })

  it('rejects what can’t be copied, and stores nothing', async () => {
    const cache = new Cache({ l1: { clone: true } })
    await expect(cache.set('k', 1n)).rejects.toThrow(TypeError)
    await expect(cache.getOrSet('k', () => 1n)).rejects.toThrow(TypeError)
    expect(cache.stats().l1Entries).toBe(0)
  })
})

describe('skip', () => {
  it('skipL1Read looks into L2 whatever L1 has', async () => {
    const { cache, other } = open()
    await cache.set('k', 'old')
    await other.set('k', 'new')
    expect(await cache.get('k')).toBe('old')
    expect(await cache.get('k', { skipL1Read: true, skipL1Write: true })).toBe('new')
    expect(await cache.get('k')).toBe('old')
    expect(await cache.getOrSet('k', () => 'made', { skipL1Read: true })).toBe('new')
    expect(await cache.get('k')).toBe('new')
  })

  it('skipL1Write leaves nothing in L1, not even what it replaces', async () => {
    const { cache } = open()
    await cache.set('k', 'old')
    await cache.set('k', 'new', { skipL1Write: true })
    expect(cache.stats().l1Entries).toBe(0)
    expect(await cache.getOrSet('k', () => 'made', { skipL1Write: true })).toBe('new')
    await cache.getOrSet('other', () => 'made', { skipL1Write: true })
    expect(cache.stats().l1Entries).toBe(0)
    expect(await cache.get('other')).toBe('made')
  })

  it('skipL2Read runs the factory, skipL2Write keeps its value from L2', async () => {
    const { l2, cache, other } = open()
    await other.set('k', 'shared')
    expect(await cache.get('k', { skipL2Read: true })).toBeUndefined()
    const both = { skipL2Read: true, skipL2Write: true }
    expect(await cache.getOrSet('k', () => 'made', both)).toBe('made')
    await cache.set('mine', 1, { skipL2Write: true })
    expect(l2.calls).toEqual([])
    expect([await other.get('k'), await other.get('mine')]).toEqual(['shared', undefined])
    expect(await cache.get('k')).toBe('made')
  })

  it('both reads skipped is a forced refresh', async () => {
    const { cache, other } = open()
    await cache.set('k', 'old')
    const force = { skipL1Read: true, skipL2Read: true }
    expect(await cache.getOrSet('k', () => 'new', force)).toBe('new')
    expect([await cache.get('k'), await other.get('k')]).toEqual(['new', 'new'])
    // Many at once are one.
    const factory = vi.fn(() => 'newer')
    await Promise.all([1, 2, 3].map(() => cache.getOrSet('k', factory, force)))
    expect(factory).toHaveBeenCalledTimes(1)
  })

  it('skipL2ReadWhenStale spares the round trip only where L1 has a stale value', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
    const { l2, cache } = open()
    const options = { ttl: 1_000, failSafe: true, skipL2ReadWhenStale: true }
    await cache.getOrSet('k', () => 'old', options)
    expect(l2.calls).toEqual(['get', 'set'])
    vi.advanceTimersByTime(1_000)
    expect(await cache.getOrSet('k', () => 'new', options)).toBe('new')
    expect(l2.calls).toEqual(['get', 'set', 'set'])
  })

  it('can be said in defaults, and unsaid in a call', async () => {
    const { cache, other } = open({ defaults: { skipL1Read: true } })
    await cache.set('k', 'old')
    await other.set('k', 'new')
    expect(await cache.get('k', { skipL1Read: false })).toBe('old')
    expect(await cache.getOrSet('k', () => 'made', { skipL1Read: false })).toBe('old')
    expect(await cache.get('k')).toBe('new')
  })
})

describe('backgroundL2Writes', () => {
  const options = { backgroundL2Writes: true }

  it('set and getOrSet do not wait for L2, whose failure is told', async () => {
    const { l2, cache, other } = open()
    const told = vi.fn()
    cache.on('l2Error', ({ error, ...rest }) => told(rest))
    const write = l2.holdBefore('set')
    await cache.set('k', 1, options)
    expect([await cache.get('k'), await other.get('k')]).toEqual([1, undefined])
    write.open()
    await quiet()
    expect(await other.get('k')).toBe(1)
    l2.failures.set('set', new Error('down'))
    await cache.set('k', 2, options)
    await quiet()
    expect(told).toHaveBeenCalledWith({ operation: 'set', degraded: true })
    expect(await cache.getOrSet('made', () => 3, options)).toBe(3)
  })

  it('an acknowledged removal is not undone by one that began before', async () => {
    for (const remove of [
      (cache: Cache) => cache.delete('k'),
      (cache: Cache) => cache.expire('k'),
      (cache: Cache) => cache.deleteByTag('t'),
      (cache: Cache) => cache.clear(),
    ]) {
      const { cache, other } = open()
      await cache.set('k', 1, { ...options, tags: ['t'] })
      await remove(cache)
      await quiet()
      expect([await cache.get('k'), await other.get('k')]).toEqual([undefined, undefined])
    }
  })

  it('does not take the signal along: the caller is answered', async () => {
    const { l2, cache, other } = open()
    const controller = new AbortController()
    const write = l2.holdBefore('set')
    await cache.set('k', 1, { ...options, signal: controller.signal })
    controller.abort()
    write.open()
    await quiet()
    expect(await other.get('k')).toBe(1)
  })
})

describe('clear', () => {
  it('{ l2: false } empties L1 alone', async () => {
    const { l2, cache } = open()
    await cache.set('k', 1)
    await cache.clear({ l2: false })
    expect(cache.stats().l1Entries).toBe(0)
    expect([await cache.get('k'), l2.calls]).toEqual([1, ['set', 'get']])
    await cache.clear({ l2: true })
    expect(await cache.get('k')).toBeUndefined()
    await expect(cache.clear({ l2: 'no' as never })).rejects.toThrow('l2 must be true or false')
  })
})
