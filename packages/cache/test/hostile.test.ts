import { setTimeout as delay } from 'node:timers/promises'
import { MemoryAdapter, MemoryStorage } from '@l2/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Cache, type Serializer } from '../src/index.js'
import { ControlledAdapter, Deferred, quiet } from './controlled-adapter.js'

const never = (): Promise<string> => new Promise(() => {})

afterEach(() => {
  vi.useRealTimers()
})

describe('a factory', () => {
  it.each([
    ['with L2', () => new Cache({ l2: new MemoryAdapter() })],
    ['without L2', () => new Cache()],
  ])('may return what cannot even be looked at, %s', async (_, open) => {
    const cache = open()
    const broken = new Proxy(
      {},
      {
        has: () => true,
        get: () => {
          throw new Error('boom')
        },
      },
    )
    await expect(cache.getOrSet('k', () => broken)).rejects.toThrow('boom')
    expect(await cache.getOrSet('k', () => 1)).toBe(1)
    await cache.close()
  })

  it('changes no tags but its own', async () => {
    const [cache, other] = [new Cache(), new Cache({ defaults: { tags: ['all'] } })]
    for (const each of [cache, other])
      await each.getOrSet('k', context => {
        ;(context.tags as string[]).push('mine')
        return 1
      })
    for (const each of [cache, other]) {
      await each.set('plain', 1)
      await each.deleteByTag('mine')
      expect([await each.get('k'), await each.get('plain')]).toEqual([undefined, 1])
    }
  })

  it('does not bring back by notModified() what was deleted by its tag meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
    for (const tags of [['u'], ['t', 'u']]) {
      const cache = new Cache()
      await cache.set('k', 'old', { ttl: 1_000, failSafe: true, tags: ['t'] })
      vi.advanceTimersByTime(1_000)
      const read = new Deferred()
      const value = cache.getOrSet('k', async context => {
        expect(context.stale?.value).toBe('old')
        await read.promise
        context.tags = tags
        return context.notModified()
      })
      await quiet()
      await cache.deleteByTag('t')
      const joined = cache.getOrSet('k', () => 'new')
      read.resolve()
      expect([await value, await joined, await cache.get('k')]).toEqual(['old', 'new', 'new'])
    }
  })

  it('that touches its options makes nobody wait for another, where no tag of its own was deleted', async () => {
    const cache = new Cache()
    const made = new Deferred<string>()
    const factory = vi.fn(async (context: { options: { ttl?: unknown } }) => {
      context.options.ttl = '1m'
      return made.promise
    })
    const both = [cache.getOrSet('k', factory as never), cache.getOrSet('k', factory as never)]
    await quiet()
    await cache.delete('k')
    made.resolve('value')
    expect(await Promise.all(both)).toEqual(['value', 'value'])
    expect(factory).toHaveBeenCalledTimes(1)
  })
})

describe('a set that was acknowledged is not undone', () => {
  it('by a call that had waited long enough for another', async () => {
    const cache = new Cache()
    void cache.getOrSet('k', never)
    const waiting = cache.getOrSet('k', async () => 'late', { lockTimeout: 20 })
    await cache.set('k', 'set')
    expect([await waiting, await cache.get('k')]).toEqual(['set', 'set'])
  })

  it('by a call whose flight was not for it', async () => {
    const cache = new Cache()
    const read = new Deferred()
    const first = cache.getOrSet('k', async context => {
      await read.promise
      context.tags = ['t']
      return 'old'
    })
    await quiet()
    await cache.deleteByTag('t')
    const joined = cache.getOrSet('k', () => 'late')
    await cache.set('k', 'set')
    read.resolve()
    expect([await first, await joined, await cache.get('k')]).toEqual(['old', 'set', 'set'])
  })
})

describe('close()', () => {
  it('waits for a call that begins a flight of its own meanwhile', async () => {
    const l2 = new ControlledAdapter(new MemoryAdapter())
    const cache = new Cache({ l2 })
    const [read, made] = [new Deferred(), new Deferred<string>()]
    void cache.getOrSet('k', async context => {
      await read.promise
      context.tags = ['t']
      return 'old'
    })
    await quiet()
    await cache.deleteByTag('t')
    const joined = cache.getOrSet('k', () => made.promise)
    let isClosed = false
    const closed = cache.close().then(() => (isClosed = true))
    read.resolve()
    await quiet()
    expect(isClosed).toBe(false)
    made.resolve('new')
    expect(await joined).toBe('new')
    await closed
    const calls = l2.calls.length
    await quiet()
    expect([l2.calls.length, cache.stats().l1Entries]).toEqual([calls, 0])
  })

  it('does not wait for flights that nobody waits for, begun before or after it', async () => {
    const cache = new Cache()
    const hard = { factoryTimeouts: { hard: 60 } }
    const calls = [
      cache.getOrSet('k', never, hard),
      cache.getOrSet('k', never, { ...hard, lockTimeout: 20 }),
    ]
    const closed = cache.close()
    for (const call of calls)
      await expect(call).rejects.toMatchObject({ code: 'L2_FACTORY_TIMEOUT' })
    await closed
  })

  it('nor where the last to give up does so after it', async () => {
    const cache = new Cache()
    const controller = new AbortController()
    const hasty = cache.getOrSet('k', never, { factoryTimeouts: { hard: 20 } })
    const patient = cache.getOrSet('k', never, { signal: controller.signal })
    await expect(hasty).rejects.toMatchObject({ code: 'L2_FACTORY_TIMEOUT' })
    const closed = cache.close()
    controller.abort(new Error('gone'))
    await expect(patient).rejects.toThrow('gone')
    await closed
  })

  it('lets no read of a refresh come into L1 after it', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
    const storage = new MemoryStorage()
    const l2 = new ControlledAdapter(new MemoryAdapter({ storage }))
    const cache = new Cache({ l2 })
    const options = { ttl: 1_000, eagerRefresh: 0.5 }
    await cache.set('k', 'old', options)
    vi.advanceTimersByTime(600)
    await new Cache({ l2: new MemoryAdapter({ storage }) }).set('k', 'newer', options)
    const answer = l2.holdAfter('get')
    expect(await cache.getOrSet('k', never, options)).toBe('old')
    await answer.reached
    await cache.close()
    answer.open()
    await quiet()
    expect(cache.stats().l1Entries).toBe(0)
  })
})

describe('a serializer', () => {
  it('may give views of what it reads, and write into bytes of its own again', async () => {
    const reused = Buffer.alloc(3)
    const serializer: Serializer = {
      serialize: value => {
        reused.set(value as Buffer)
        return reused
      },
      deserialize: bytes => bytes,
    }
    const cache = new Cache({ serializer, l1: { clone: true } })
    await cache.set('a', Buffer.from('aaa'))
    await cache.set('b', Buffer.from('bbb'))
    ;((await cache.get('a')) as Uint8Array).fill(0)
    expect(Buffer.from((await cache.get('a')) as Uint8Array).toString()).toBe('aaa')
  })

  it('JSON writes no key __proto__, which it would not read', async () => {
    for (const cache of [
      new Cache({ l1: { clone: true } }),
      new Cache({ l2: new MemoryAdapter() }),
    ]) {
      await expect(cache.set('k', JSON.parse('{"__proto__":1}'))).rejects.toThrow('__proto__')
      await cache.set('text', '"__proto__":')
      expect(await cache.get('text')).toBe('"__proto__":')
    }
  })
})

it.each([
  ['L1 and L2', {}],
  ['L2 alone', { l1: false }],
] as const)('expire during a flight leaves the stale value to it, with %s', async (_, more) => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
  const l2 = new ControlledAdapter(new MemoryAdapter())
  const cache = new Cache({ l2, ...more })
  const options = { ttl: 1_000, failSafe: true }
  await cache.set('k', 'old', options)
  vi.advanceTimersByTime(1_000)
  const made = new Deferred<string>()
  const value = cache.getOrSet('k', () => made.promise, options)
  await quiet()
  await cache.expire('k')
  made.reject(new Error('down'))
  expect(await value).toBe('old')

  // Also while L2 is being read: its value is stale from then on.
  await cache.set('k', 'fresh', options)
  await cache.clear({ l2: false })
  const answer = l2.holdAfter('get')
  const fails = (): never => {
    throw new Error('down')
  }
  const read = cache.getOrSet('k', fails, options)
  await answer.reached
  await cache.expire('k')
  answer.open()
  expect(await read).toBe('fresh')
  expect(cache.stats()).toMatchObject({ l2Hits: 0, failSafes: 2 })
})

it('a default value does not take the place of a stale one that was not to be asked for', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
  const cache = new Cache()
  const failSafe = { throttle: 1, defaultValue: 'default' }
  await cache.set('k', 'old', { ttl: 1_000, failSafe })
  vi.advanceTimersByTime(1_000)
  const fails = (): never => {
    throw new Error('down')
  }
  expect(await cache.getOrSet('k', fails, { failSafe, skipL1Read: true })).toBe('default')
  expect(await cache.getOrSet('k', fails, { failSafe })).toBe('old')
})

it('a listener that removes what was hit is not undone by a refresh', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
  const cache = new Cache({ includeKeys: true })
  const options = { ttl: 1_000, eagerRefresh: 0.5 }
  await cache.set('k', 'old', options)
  vi.advanceTimersByTime(500)
  cache.on('hit', ({ key }) => void cache.delete(key as string))
  expect(await cache.getOrSet('k', () => 'new', options)).toBe('old')
  await quiet()
  expect(await cache.get('k')).toBeUndefined()
})

it('the factory of many keys has its time from when it begins', async () => {
  const l2 = new ControlledAdapter(new MemoryAdapter())
  const cache = new Cache({ l2 })
  // The first key's read takes long, the second one's does not.
  const slow = l2.holdAfter('get')
  const values = cache.getOrSetMany(
    ['slow', 'fast'],
    async keys => {
      await delay(50)
      return keys.map(key => [key, 1] as const)
    },
    { factoryTimeouts: { hard: 100 } },
  )
  await slow.reached
  await delay(150)
  slow.open()
  expect((await values).size).toBe(2)
})

it('the breaker closes though a ping takes longer than probeInterval', async () => {
  const l2 = new ControlledAdapter(new MemoryAdapter())
  const ping = l2.ping.bind(l2)
  l2.ping = async options => {
    await delay(40)
    return ping(options)
  }
  const cache = new Cache({ l2, breaker: { threshold: 1, probeInterval: 10 } })
  const told = vi.fn()
  cache.on('breaker', told)
  l2.failures.set('get', new Error('down'))
  await cache.getOrSet('k', () => 1)
  await expect.poll(() => told.mock.calls.length).toBe(2)
})

it('what is no option and no value is refused', async () => {
  const cache = new Cache()
  for (const call of [
    () => cache.getOrSet('k', () => 1, { tll: '5m' } as never),
    () => cache.set('k', 1, { tll: '5m' } as never),
    () => cache.get('k', { tll: '5m' } as never),
  ])
    await expect(call()).rejects.toThrow('there is no option tll')
  await expect(cache.set('k', Promise.resolve(1))).rejects.toThrow('must not be a promise')
  const throwing = {
    get signal(): never {
      throw new Error('boom')
    },
  }
  await expect(cache.get('k', throwing)).rejects.toThrow('boom')
  await expect(cache.getOrSet('k', () => 1, throwing)).rejects.toThrow('boom')
})
