import { L2Error, MemoryAdapter, MemoryStorage } from '@l2/core'
import { describe, expect, it, vi } from 'vitest'
import { Cache, type CacheEvents } from '../src/index.js'
import { ControlledAdapter, quiet } from './controlled-adapter.js'

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

describe('abort', () => {
  it('rejects before anything where the signal has aborted', async () => {
    const { l2, cache } = open()
    await cache.set('k', 1)
    l2.calls.length = 0
    const signal = AbortSignal.abort('why')
    const factory = vi.fn(() => 1)
    const calls = [
      cache.get('k', { signal }),
      cache.getOrSet('k', factory, { signal }),
      cache.set('k', 2, { signal }),
      cache.delete('k', { signal }),
      cache.deleteByTag('k', { signal }),
      cache.clear({ signal }),
    ]
    for (const call of calls) await expect(call).rejects.toBe('why')
    expect([l2.calls, factory.mock.calls]).toEqual([[], []])
    expect(await cache.get('k')).toBe(1)
  })

  it('hits L1 with a signal as without', async () => {
    const { l2, cache } = open()
    await cache.set('k', 1)
    const { signal } = new AbortController()
    expect(await cache.get('k', { signal })).toBe(1)
    expect(await cache.getOrSet('k', () => 2, { signal })).toBe(1)
    expect(l2.calls).toEqual(['set'])
  })

  it('of one caller fails neither its companions nor the factory', async () => {
    const { l2, cache } = open()
    const answer = l2.holdAfter('get')
    const giving = new AbortController()
    let factorySignal: AbortSignal | undefined
    const gone = cache.getOrSet(
      'k',
      ({ signal }) => {
        factorySignal = signal
        return 1
      },
      { signal: giving.signal },
    )
    const staying = [cache.getOrSet('k', () => 2), cache.getOrSet('k', () => 3)]
    await answer.reached
    giving.abort('enough')
    await expect(gone).rejects.toBe('enough')
    answer.open()
    expect(await Promise.all(staying)).toEqual([1, 1])
    expect(factorySignal?.aborted).toBe(false)
  })

  it('of all callers aborts the factory, whose result is then stored nowhere', async () => {
    const { cache, other } = open()
    const [a, b] = [new AbortController(), new AbortController()]
    const aborted = vi.fn()
    let finish: (value: string) => void = () => {}
    const factory = ({ signal }: { signal: AbortSignal }): Promise<string> => {
      signal.addEventListener('abort', () => aborted(signal.reason))
      return new Promise(resolve => {
        finish = resolve
      })
    }
    const calls = [a, b].map(({ signal }) => cache.getOrSet('k', factory, { signal }))
    await quiet()
    a.abort('a')
    expect(aborted).not.toHaveBeenCalled()
    b.abort('b')
    expect(
      (await Promise.allSettled(calls)).map(call => (call as { reason?: unknown }).reason),
    ).toEqual(['a', 'b'])
    expect(aborted).toHaveBeenCalledExactlyOnceWith('b')
    // The next call does not wait for it, nor does close().
    expect(await cache.getOrSet('k', () => 'next')).toBe('next')
    finish('late')
    await quiet()
    expect([await cache.get('k'), await other.get('k')]).toEqual(['next', 'next'])
  })

  it('while the result is being serialized stores nothing', async () => {
    const { l2, cache } = open()
    const controller = new AbortController()
    const value = { toJSON: () => controller.abort('enough') ?? 'made' }
    const call = cache.getOrSet('k', () => value, { signal: controller.signal })
    await expect(call).rejects.toBe('enough')
    await quiet()
    expect([l2.calls, cache.stats().l1Entries]).toEqual([['get'], 0])
  })

  it('does not keep close() waiting for a factory that nobody waits for', async () => {
    const { cache } = open()
    const controller = new AbortController()
    const call = cache.getOrSet('k', () => new Promise(() => {}), { signal: controller.signal })
    await quiet()
    controller.abort('enough')
    await expect(call).rejects.toBe('enough')
    await cache.close()
  })

  it('reaches the L2 read of a call that nobody else shares, which is no failure of L2', async () => {
    const { l2, cache, told } = open()
    const factory = vi.fn(() => 1)
    for (const call of [
      (signal: AbortSignal) => cache.getOrSet('k', factory, { signal }),
      (signal: AbortSignal) => cache.get('k', { signal }),
    ]) {
      const answer = l2.holdAfter('get')
      const controller = new AbortController()
      const result = call(controller.signal)
      await answer.reached
      controller.abort('enough')
      await expect(result).rejects.toBe('enough')
    }
    await quiet()
    expect([factory.mock.calls, told]).toEqual([[], []])
  })

  it('does not run the factory for nobody where the adapter does not heed its signal', async () => {
    const { l2, cache } = open()
    const { get } = l2
    const gate = l2.holdAfter('get')
    l2.get = key => get.call(l2, key)
    const controller = new AbortController()
    const factory = vi.fn(() => 1)
    const result = cache.getOrSet('k', factory, { signal: controller.signal })
    await gate.reached
    controller.abort('enough')
    await expect(result).rejects.toBe('enough')
    gate.open()
    await quiet()
    expect(factory).not.toHaveBeenCalled()
  })

  it.each(['set', 'delete', 'deleteByTag', 'clear'] as const)(
    'of a %s rejects at once and is no failure of L2',
    async what => {
      const { l2, cache, told } = open()
      const gate = l2.holdBefore(what)
      const controller = new AbortController()
      const { signal } = controller
      const result = {
        set: () => cache.set('k', 1, { signal }),
        delete: () => cache.delete('k', { signal }),
        deleteByTag: () => cache.deleteByTag('k', { signal }),
        clear: () => cache.clear({ signal }),
      }[what]()
      await gate.reached
      controller.abort('enough')
      await expect(result).rejects.toBe('enough')
      expect(told).toEqual([])
    },
  )

  it('while a fill is being written leaves the write alone', async () => {
    const { l2, cache, other } = open()
    const gate = l2.holdBefore('set')
    const controller = new AbortController()
    const result = cache.getOrSet('k', () => 1, { signal: controller.signal })
    await gate.reached
    controller.abort('enough')
    await expect(result).rejects.toBe('enough')
    let closed = false
    const closing = cache.close().then(() => {
      closed = true
    })
    await quiet()
    expect(closed).toBe(false)
    gate.open()
    await closing
    expect(await other.get('k')).toBe(1)
  })

  it('of a thousand calls with one signal warns of nothing', async () => {
    const { cache } = open()
    const warned = vi.fn()
    process.on('warning', warned)
    const controller = new AbortController()
    const { signal } = controller
    const calls = Array.from({ length: 1_000 }, () =>
      cache.getOrSet('k', () => new Promise(() => {}), { signal }),
    )
    await quiet()
    controller.abort('enough')
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('rejected')
    await quiet()
    process.off('warning', warned)
    expect(warned).not.toHaveBeenCalled()
  })
})
