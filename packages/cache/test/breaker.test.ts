import { L2Error, MemoryAdapter, MemoryStorage } from '@l2/core'
import { describe, expect, it, vi } from 'vitest'
import { Cache, type CacheEvents, type CacheOptions } from '../src/index.js'
import { ControlledAdapter, type Operation, quiet } from './controlled-adapter.js'
import { fakeTime, later } from './support/fake-time.js'

const refused = new L2Error('L2_UNAVAILABLE', 'refused')

fakeTime(1_000_000)

/** An adapter that can be down: refusing, or accepting and never answering. */
class Outage extends ControlledAdapter {
  state: 'up' | 'hangs' | unknown = 'up'

  constructor(storage: MemoryStorage) {
    const inner = new MemoryAdapter({ storage, sweepInterval: 0 })
    super(
      new Proxy(inner, {
        get: (target, name) => {
          const found: unknown = Reflect.get(target, name, target)
          if (typeof found !== 'function') return found
          return (...all: unknown[]) => {
            if (this.state === 'up') return found.apply(target, all)
            if (this.state === 'hangs') return new Promise(() => {})
            return Promise.reject(this.state)
          }
        },
      }),
    )
  }
}

function open(more: Omit<CacheOptions, 'l2'> = {}) {
  const storage = new MemoryStorage()
  const l2 = new Outage(storage)
  const cache = new Cache({ l2, ...more })
  const told: CacheEvents['breaker'][] = []
  cache.on('breaker', event => told.push(event))
  return { l2, cache, told, other: new Cache({ l2: new MemoryAdapter({ storage }), l1: false }) }
}

/** Fails so often that it opens. */
async function trip(cache: Cache, l2: Outage): Promise<void> {
  l2.state = refused
  for (let i = 0; i < 5; i++) await cache.get(`trip${i}`).catch(() => {})
  l2.calls.length = 0
}

describe('the breaker', () => {
  it('opens on five failures in a row, by default', async () => {
    const { l2, cache, told } = open()
    l2.state = refused
    for (let i = 0; i < 4; i++) await expect(cache.get(`${i}`)).rejects.toBe(refused)
    l2.state = 'up'
    await cache.get('k')
    l2.state = refused
    for (let i = 0; i < 4; i++) await expect(cache.get(`${i}`)).rejects.toBe(refused)
    expect(told).toEqual([])
    await expect(cache.get('k')).rejects.toBe(refused)
    expect(told).toEqual([{ state: 'open', cause: 'refused', error: refused }])
    await cache.close()
  })

  it.each([
    [refused, 'refused'],
    [new L2Error('L2_TIMEOUT', ''), 'timeout'],
    [new Error('somebody else’s'), 'server'],
    [new L2Error('L2_CORRUPT_STORE', ''), 'server'],
  ])('%s is of class %s', async (error, cause) => {
    const { l2, cache, told } = open({ breaker: { threshold: 1 } })
    l2.state = error
    await cache.getOrSet('k', () => 1)
    expect(told).toEqual([{ state: 'open', cause, error }])
    await cache.close()
  })

  it.each([
    new TypeError('misuse'),
    new RangeError('misuse'),
    new L2Error('L2_CLOSED', ''),
    new L2Error('L2_UNSUPPORTED', ''),
    new L2Error('L2_FULL', ''),
    new L2Error('L2_READ_ONLY', ''),
  ])('%s does not count', async error => {
    const { l2, cache, told } = open({ breaker: { threshold: 1 } })
    l2.state = error
    await cache.getOrSet('k', () => 1)
    expect(told).toEqual([])
  })

  it('does not count the abort of a caller', async () => {
    const { l2, cache, told } = open({ breaker: { threshold: 1 } })
    const answer = l2.holdAfter('get')
    const controller = new AbortController()
    const value = cache.get('k', { signal: controller.signal })
    await answer.reached
    await quiet()
    controller.abort(refused)
    await expect(value).rejects.toBe(refused)
    await quiet()
    expect(told).toEqual([])
  })

  it('while open: getOrSet goes on, all else rejects at once, and L2 is left alone', async () => {
    const { l2, cache } = open()
    await cache.set('k', 'old', { tags: ['t'] })
    await trip(cache, l2)
    expect(await cache.getOrSet('new', () => 'made')).toBe('made')
    expect(await cache.get('new')).toBe('made')
    const rejected = { code: 'L2_UNAVAILABLE' }
    await expect(cache.get('absent')).rejects.toMatchObject(rejected)
    await expect(cache.set('k', 'newer')).rejects.toMatchObject(rejected)
    expect(await cache.get('k')).toBe('newer')
    await expect(cache.delete('k')).rejects.toMatchObject(rejected)
    await expect(cache.get('k')).rejects.toMatchObject(rejected)
    await expect(cache.expire('new')).rejects.toMatchObject(rejected)
    await expect(cache.deleteByTag('t')).rejects.toMatchObject(rejected)
    await expect(cache.clear()).rejects.toMatchObject(rejected)
    expect(cache.stats().l1Entries).toBe(0)
    expect(l2.calls).toEqual([])
    await cache.close()
  })

  it('while open: a write in the background is not made, and that is told', async () => {
    const { l2, cache } = open()
    await trip(cache, l2)
    const lost = vi.fn()
    cache.on('l2Error', lost)
    await cache.set('k', 1, { backgroundL2Writes: true })
    expect(lost.mock.calls).toMatchObject([
      [{ operation: 'set', degraded: true, error: { code: 'L2_UNAVAILABLE' } }],
    ])
    expect(l2.calls).toEqual([])
    await cache.close()
  })

  it('while open sends one ping at a time, never a call of users, and closes by that', async () => {
    const { l2, cache, told, other } = open()
    await other.set('k', 'shared')
    await trip(cache, l2)
    l2.state = 'hangs'
    await later(999)
    expect(l2.calls).toEqual([])
    await later(1)
    expect(l2.calls).toEqual(['ping'])
    // It has half a second, l2Timeouts.soft; the next one comes a second after that.
    await later(1_499)
    expect(l2.calls).toEqual(['ping'])
    await later(1)
    expect(l2.calls).toEqual(['ping', 'ping'])
    l2.state = 'up'
    // That one is lost.
    await later(1_000)
    expect(await cache.getOrSet('k', () => 'made', { skipL1Write: true })).toBe('made')
    expect(told).toHaveLength(1)
    await later(500)
    expect(told).toEqual([told[0], { state: 'closed' }])
    expect(l2.calls.filter(call => call !== 'ping')).toEqual([])
    expect(await cache.get('k')).toBe('shared')
    await later(10_000)
    expect(l2.calls.filter(call => call === 'ping')).toHaveLength(3)
  })

  it('is opened by an L2 that hangs: calls cost the soft timeout until then, nothing after', async () => {
    const { l2, cache, told } = open()
    l2.state = 'hangs'
    for (let i = 0; i < 5; i++) {
      const value = cache.getOrSet(`${i}`, () => i)
      await later(499)
      expect(await Promise.race([value, 'pending'])).toBe('pending')
      await later(1)
      expect(await value).toBe(i)
    }
    expect(told).toMatchObject([{ state: 'open', cause: 'timeout', error: { code: 'L2_TIMEOUT' } }])
    expect(await cache.getOrSet('k', () => 'made')).toBe('made')
    await cache.clear().catch(() => {})
  })

  it('is opened by an L2 that answers all too late: no write that it takes at last is a success', async () => {
    const { l2, cache, told } = open({ l1: false })
    for (let i = 0; i < 5; i++) {
      const [read, write] = [l2.holdAfter('get'), l2.holdAfter('set')]
      const value = cache.getOrSet('k', () => i)
      await later(501)
      expect(await value).toBe(i)
      await later(501)
      write.open()
      read.open()
      await quiet()
    }
    expect(told).toMatchObject([{ state: 'open', cause: 'timeout' }])
    await cache.close()
  })

  it('can be tuned, and switched off', async () => {
    const { l2, cache, told } = open({ breaker: { threshold: 2, probeInterval: '50ms' } })
    l2.state = refused
    for (let i = 0; i < 2; i++) await expect(cache.get('k')).rejects.toBe(refused)
    expect(told).toHaveLength(1)
    l2.state = 'up'
    await later(50)
    expect(told).toHaveLength(2)

    const off = open({ breaker: false })
    off.l2.state = refused
    for (let i = 0; i < 20; i++) await expect(off.cache.get('k')).rejects.toBe(refused)
    expect(off.told).toEqual([])
  })

  it('ends with close(): no ping comes after it', async () => {
    const { l2, cache } = open()
    await trip(cache, l2)
    await cache.close()
    await later(5_000)
    expect(l2.calls).toEqual([])
  })
})

describe('l2Timeouts', () => {
  it('soft is one budget for read and write; the write goes on by itself', async () => {
    const { l2, cache, other } = open({ l1: false })
    const answer = l2.holdAfter('get')
    const value = cache.getOrSet('k', () => 'made', { l2Timeouts: { soft: 100 } })
    const written = l2.holdBefore('set')
    await answer.reached
    await later(60)
    answer.open()
    await written.reached
    await later(39)
    expect(await Promise.race([value, 'pending'])).toBe('pending')
    await later(1)
    expect(await value).toBe('made')
    expect(await other.get('k')).toBeUndefined()
    written.open()
    await quiet()
    expect(await other.get('k')).toBe('made')
  })

  it('soft: what L2 answers too late is not used', async () => {
    const { l2, cache, other } = open()
    await other.set('k', 'late')
    const answer = l2.holdAfter('get')
    const value = cache.getOrSet('k', () => 'made')
    await answer.reached
    await later(500)
    expect(await value).toBe('made')
    answer.open()
    await quiet()
    expect([await cache.get('k'), await other.get('k')]).toEqual(['made', 'made'])
    expect(cache.stats()).toMatchObject({ l2Hits: 0, misses: 1, l2Errors: 1 })
  })

  it.each([
    ['get', (cache: Cache) => cache.get('k', { l2Timeouts: { hard: 50 } }), 'L2_TIMEOUT'],
    ['set', (cache: Cache) => cache.set('k', 1, { l2Timeouts: { hard: 50 } }), 'L2_TIMEOUT'],
    ['delete', (cache: Cache) => cache.delete('k', { l2Timeouts: { hard: 50 } }), 'L2_UNAVAILABLE'],
    ['delete', (cache: Cache) => cache.expire('k', { l2Timeouts: { hard: 50 } }), 'L2_UNAVAILABLE'],
  ] as [Operation, (cache: Cache) => Promise<unknown>, string][])(
    'hard: %s rejects',
    async (_, call, code) => {
      const { l2, cache } = open()
      l2.state = 'hangs'
      const work = call(cache)
      work.catch(() => {})
      await later(49)
      expect(await Promise.race([work, 'pending'])).toBe('pending')
      await later(1)
      await expect(work).rejects.toMatchObject({ code })
    },
  )

  it('close() waits for the write that goes on, as long as the adapter allows', async () => {
    const { l2, cache, other } = open()
    const written = l2.holdBefore('set')
    const background = { backgroundL2Writes: true }
    expect(await cache.getOrSet('k', () => 'made', background)).toBe('made')
    await written.reached
    const closed = cache.close()
    await later(1_000)
    expect(await Promise.race([closed.then(() => 'closed'), 'pending'])).toBe('pending')
    written.open()
    await closed
    expect(await other.get('k')).toBe('made')
  })
})

describe('an invalidation that L2 did not take', () => {
  it.each([new Error('cut'), new L2Error('L2_TIMEOUT', 'late')])(
    'rejects with L2_UNAVAILABLE, and %s as its cause',
    async error => {
      for (const call of [
        (cache: Cache) => cache.delete('k'),
        (cache: Cache) => cache.expire('k'),
        (cache: Cache) => cache.deleteByTag('t'),
        (cache: Cache) => cache.clear(),
      ]) {
        const { l2, cache } = open()
        l2.state = error
        await expect(call(cache)).rejects.toMatchObject({
          code: 'L2_UNAVAILABLE',
          retryable: true,
          cause: error,
        })
      }
    },
  )

  it('rejects with what it was where that is misuse', async () => {
    const { l2, cache } = open()
    l2.state = new L2Error('L2_PREFIX_REQUIRED', '')
    await expect(cache.clear()).rejects.toBe(l2.state)
  })
})
