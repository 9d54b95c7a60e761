import { describe, expect, it, vi } from 'vitest'
import { quiet } from './controlled-adapter.js'
import { openNode } from './support/node.js'

describe('abort', () => {
  it('rejects before anything where the signal has aborted', async () => {
    const { l2, cache } = openNode()
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
    const { l2, cache } = openNode()
    await cache.set('k', 1)
    const { signal } = new AbortController()
    expect(await cache.get('k', { signal })).toBe(1)
    expect(await cache.getOrSet('k', () => 2, { signal })).toBe(1)
    expect(l2.calls).toEqual(['set'])
  })

  it('of one caller fails neither its companions nor the factory', async () => {
    const { l2, cache } = openNode()
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
    const { cache, node } = openNode()
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
    expect([await cache.get('k'), await node().get('k')]).toEqual(['next', 'next'])
  })

  it('while the result is being serialized stores nothing', async () => {
    const { l2, cache } = openNode()
    const controller = new AbortController()
    const value = { toJSON: () => controller.abort('enough') ?? 'made' }
    const call = cache.getOrSet('k', () => value, { signal: controller.signal })
    await expect(call).rejects.toBe('enough')
    await quiet()
    expect([l2.calls, cache.stats().l1Entries]).toEqual([['get'], 0])
  })

  it('does not keep close() waiting for a factory that nobody waits for', async () => {
    const { cache } = openNode()
    const controller = new AbortController()
    const call = cache.getOrSet('k', () => new Promise(() => {}), { signal: controller.signal })
    await quiet()
    controller.abort('enough')
    await expect(call).rejects.toBe('enough')
    await cache.close()
  })

  it('reaches the L2 read of a call that nobody else shares, which is no failure of L2', async () => {
    const { l2, cache } = openNode()
    const told: unknown[] = []
    cache.on('l2Error', event => told.push(event))
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
    const { l2, cache } = openNode()
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
      const { l2, cache } = openNode()
      const told: unknown[] = []
      cache.on('l2Error', event => told.push(event))
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
    const { l2, cache, node } = openNode()
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
    expect(await node().get('k')).toBe(1)
  })

  it('of a thousand calls with one signal warns of nothing', async () => {
    const { cache } = openNode()
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
