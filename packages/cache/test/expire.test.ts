import { encodeEnvelope, L2Error, MemoryAdapter } from '@l2/core'
import { describe, expect, it, vi } from 'vitest'
import { Cache } from '../src/index.js'
import { Deferred } from './controlled-adapter.js'
import { fakeTime } from './support/fake-time.js'
import { openNode } from './support/node.js'

const START = 1_000_000
const MINUTE = 60_000

fakeTime(START)

const down = new Error('the origin is down')
const fails = (): never => {
  throw down
}
const options = { ttl: '1m', failSafe: { maxDuration: '1h', throttle: '10s' } } as const

describe('expire', () => {
  it.each([
    ['L1 and L2', {}],
    ['L1 alone', { l2: undefined }],
    ['L2 alone', { l1: false }],
  ] as const)('has the next getOrSet run its factory, with %s', async (_, more) => {
    const cache = new Cache({ l2: new MemoryAdapter(), ...more })
    await cache.set('k', 'old', options)
    await cache.expire('k')
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.getOrSet('k', () => 'new', options)).toBe('new')
    expect(await cache.get('k')).toBe('new')
    await cache.expire('absent')
  })

  it('leaves the value to calls whose factory fails', async () => {
    const { cache } = openNode()
    await cache.set('k', 'old', options)
    await cache.expire('k')
    expect(await cache.getOrSet('k', fails, options)).toBe('old')
    await cache.delete('k')
    await expect(cache.getOrSet('k', fails, options)).rejects.toBe(down)
  })

  it('leaves what would never have expired', async () => {
    const { cache } = openNode()
    await cache.set('k', 'old')
    await cache.expire('k')
    await expect(cache.getOrSet('k', fails)).rejects.toBe(down)
    expect(await cache.getOrSet('k', fails, options)).toBe('old')
  })

  it('stays, whatever the clock is set to', async () => {
    const { cache } = openNode()
    vi.setSystemTime(START + 40 * 365 * 24 * 60 * MINUTE)
    await cache.set('k', 'old', options)
    await cache.expire('k')
    vi.setSystemTime(START)
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.getOrSet('k', fails, options)).toBe('old')
  })

  it('ranks what nobody knows the age of after what L2 has', async () => {
    const { cache, l2 } = openNode()
    const store = (value: string, logicalExpiry: number) =>
      l2.set(
        'k',
        encodeEnvelope({
          payload: Buffer.from(JSON.stringify(value)),
          logicalExpiry,
          physicalExpiry: START + 60 * MINUTE,
          tags: [],
        }),
      )
    await store('in L1', START + MINUTE)
    expect(await cache.get('k')).toBe('in L1')
    await cache.expire('k')
    await store('in L2', START - 30 * 24 * 60 * MINUTE)
    expect(await cache.getOrSet('k', fails, options)).toBe('in L2')
  })

  it('is seen by other processes: L2 has it no more', async () => {
    const { cache, node } = openNode()
    await cache.set('k', 'old', options)
    await cache.expire('k')
    expect(await node().get('k')).toBeUndefined()
  })

  it('does not lengthen a life that is over', async () => {
    const { cache } = openNode()
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(60 * MINUTE)
    await cache.expire('k')
    await expect(cache.getOrSet('k', fails, options)).rejects.toBe(down)
  })

  it('is not undone by a factory that began before', async () => {
    const { cache } = openNode()
    const factory = new Deferred<string>()
    const value = cache.getOrSet('k', () => factory.promise, options)
    await new Promise(resolve => setImmediate(resolve))
    await cache.expire('k')
    factory.resolve('old')
    expect(await value).toBe('old')
    expect(await cache.get('k')).toBeUndefined()
  })

  it('rejects where L2 failed, and the value is stale in L1', async () => {
    const { cache, l2 } = openNode({ includeKeys: true })
    await cache.set('k', 'old', options)
    const error = new L2Error('L2_UNAVAILABLE', 'down')
    l2.failures.set('delete', error)
    const told: unknown[] = []
    cache.on('l2Error', event => told.push(event))
    await expect(cache.expire('k')).rejects.toBe(error)
    expect(told).toEqual([{ operation: 'expire', key: 'k', degraded: false, error }])
    expect(cache.stats().l1Entries).toBe(1)
  })
})
