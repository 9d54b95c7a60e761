import { MemoryAdapter, MemoryStorage } from '@l2/core'
import { describe, expect, it } from 'vitest'
import { Cache, type CacheOptions } from '../src/index.js'
import { ControlledAdapter, Deferred, quiet } from './controlled-adapter.js'

type What = 'delete' | 'deleteByTag' | 'clear' | 'set'

const options = { ttl: '1h', tags: ['t'] } as const

function open(l1: CacheOptions['l1']) {
  const storage = new MemoryStorage()
  const adapter = new ControlledAdapter(new MemoryAdapter({ storage }))
  const cache = new Cache({ l2: adapter, l1 })
  /** Another process: what it sees is what L2 holds. */
  const other = new Cache({ l2: new MemoryAdapter({ storage }), l1: false })
  return { adapter, cache, other }
}

function invalidate(cache: Cache, what: What): Promise<void> {
  if (what === 'delete') return cache.delete('k')
  if (what === 'deleteByTag') return cache.deleteByTag('t')
  if (what === 'clear') return cache.clear()
  return cache.set('k', 'set', options)
}

const expected = (what: What) => (what === 'set' ? 'set' : undefined)

const layers = [
  ['with L1', {}],
  ['without L1', false],
] as const
const invalidations: What[] = ['delete', 'deleteByTag', 'clear', 'set']

describe.each(layers)('an acknowledged invalidation is not undone, %s', (_, l1) => {
  describe.each(invalidations)('%s', what => {
    it('by a factory in flight', async () => {
      const { cache, other } = open(l1)
      const made = new Deferred<string>()
      const old = cache.getOrSet('k', () => made.promise, options)
      await quiet()
      await invalidate(cache, what)
      made.resolve('old')
      expect(await old).toBe('old')
      expect(await cache.get('k')).toBe(expected(what))
      expect(await other.get('k')).toBe(expected(what))
    })

    it('by joining a factory in flight', async () => {
      const { cache, other } = open(l1)
      const made = new Deferred<string>()
      const old = cache.getOrSet('k', () => made.promise, options)
      await quiet()
      await invalidate(cache, what)
      const fresh = cache.getOrSet('k', () => 'new', options)
      await quiet()
      made.resolve('old')
      const value = what === 'set' ? 'set' : 'new'
      expect([await old, await fresh]).toEqual(['old', value])
      expect(await cache.get('k')).toBe(value)
      expect(await other.get('k')).toBe(value)
    })

    it('by an L2 read of get in flight', async () => {
      const { adapter, cache, other } = open(l1)
      await other.set('k', 'old', options)
      const answer = adapter.holdAfter('get')
      const old = cache.get('k')
      await answer.reached
      await invalidate(cache, what)
      answer.open()
      await old
      expect(await cache.get('k')).toBe(expected(what))
      expect(await other.get('k')).toBe(expected(what))
    })

    it('by an L2 read of getOrSet in flight', async () => {
      const { adapter, cache, other } = open(l1)
      await other.set('k', 'old', options)
      const answer = adapter.holdAfter('get')
      const old = cache.getOrSet('k', () => 'new', options)
      await answer.reached
      await invalidate(cache, what)
      const fresh = cache.getOrSet('k', () => 'new', options)
      await quiet()
      answer.open()
      await old
      const value = what === 'set' ? 'set' : 'new'
      expect(await fresh).toBe(value)
      // Whoever comes later joins: the factory will have begun after the invalidation.
      expect(cache.stats().factories).toBe(what === 'set' ? 0 : 1)
      expect(await cache.get('k')).toBe(value)
      expect(await other.get('k')).toBe(value)
    })

    it.each(['get', 'getOrSet'] as const)('by the L2 read of a %s given up before', async how => {
      const { adapter, cache, other } = open(l1)
      await other.set('k', 'old', options)
      // An adapter that does not heed its signal.
      const { get } = adapter
      adapter.get = key => get.call(adapter, key)
      const answer = adapter.holdAfter('get')
      const giving = new AbortController()
      const { signal } = giving
      const call =
        how === 'get'
          ? cache.get('k', { signal })
          : cache.getOrSet('k', () => 'made', { ...options, signal })
      const gone = expect(call).rejects.toBe('enough')
      await answer.reached
      giving.abort('enough')
      await invalidate(cache, what)
      answer.open()
      await gone
      await quiet()
      expect(await cache.get('k')).toBe(expected(what))
      expect(await other.get('k')).toBe(expected(what))
    })

    it('by the L2 write of a fill in flight', async () => {
      const { adapter, cache, other } = open(l1)
      const answer = adapter.holdAfter('set')
      const old = cache.getOrSet('k', () => 'old', options)
      await answer.reached
      await invalidate(cache, what)
      // The one in flight must not be joined.
      const fresh = cache.getOrSet('k', () => 'new', options)
      await quiet()
      answer.open()
      const value = what === 'set' ? 'set' : 'new'
      expect([await old, await fresh]).toEqual(['old', value])
      expect(await cache.get('k')).toBe(value)
      expect(await other.get('k')).toBe(value)
    })

    it('by a fill whose serializing calls it', async () => {
      const { cache, other } = open(l1)
      let done: Promise<void> | undefined
      const value = {
        toJSON: () => {
          done = invalidate(cache, what)
          return 'old'
        },
      }
      expect(await cache.getOrSet('k', () => value, options)).toBe(value)
      await done
      expect(await cache.get('k')).toBe(expected(what))
      expect(await other.get('k')).toBe(expected(what))
    })

    it('by what an L2 write of a fill in flight keeps in L1 when it settles', async () => {
      const { adapter, cache, other } = open(l1)
      const answer = adapter.holdAfter('set')
      const old = cache.getOrSet('k', () => 'old', options)
      await answer.reached
      await invalidate(cache, what)
      answer.open()
      await old
      expect(await cache.get('k')).toBe(expected(what))
      expect(await other.get('k')).toBe(expected(what))
    })
  })

  describe.each(['delete', 'deleteByTag', 'clear'] as const)('%s, not acknowledged yet', what => {
    it.each(['before', 'after'] as const)(
      'nor by an L2 read that began then and was answered %s the acknowledgement',
      async when => {
        const { adapter, cache, other } = open(l1)
        await other.set('k', 'old', options)
        const work = adapter.holdBefore(what)
        const done = invalidate(cache, what)
        await work.reached
        const answer = adapter.holdAfter('get')
        const between = cache.get('k')
        await answer.reached
        if (when === 'before') {
          answer.open()
          await between
        }
        work.open()
        await done
        answer.open()
        // A value that is being deleted need not be shown any more.
        expect(await between).toBeUndefined()
        expect(await cache.get('k')).toBeUndefined()
      },
    )

    it('lets a factory that began then store its result', async () => {
      const { adapter, cache } = open(l1)
      const work = adapter.holdBefore(what)
      const done = invalidate(cache, what)
      await work.reached
      const made = new Deferred<string>()
      const fresh = cache.getOrSet('k', () => made.promise, options)
      await quiet()
      work.open()
      await done
      made.resolve('new')
      await fresh
      expect(await cache.get('k')).toBe('new')
    })

    it('nor when L2 failed: it may have been done all the same', async () => {
      const { adapter, cache, other } = open(l1)
      await other.set('k', 'old', options)
      const work = adapter.holdAfter(what)
      const answer = adapter.holdAfter('get')
      const read = cache.get('k')
      await answer.reached
      const done = invalidate(cache, what)
      await work.reached
      work.fail(new Error('cut'))
      await expect(done).rejects.toMatchObject({
        code: 'L2_UNAVAILABLE',
        cause: new Error('cut'),
      })
      answer.open()
      await read
      expect(await cache.get('k')).toBeUndefined()
    })
  })

  it('runs one factory at a time after that, also once the outdated one has ended', async () => {
    const { cache } = open(l1)
    const [first, second] = [new Deferred<string>(), new Deferred<string>()]
    const old = cache.getOrSet('k', () => first.promise, options)
    await quiet()
    await cache.delete('k')
    const fresh = cache.getOrSet('k', () => second.promise, options)
    await quiet()
    first.resolve('old')
    await old
    const joined = cache.getOrSet('k', () => 'not run', options)
    await quiet()
    second.resolve('new')
    expect(await Promise.all([fresh, joined])).toEqual(['new', 'new'])
    expect(cache.stats()).toMatchObject({ factories: 2, joined: 1 })
  })

  it('leaves other keys and tags alone', async () => {
    const { cache, other } = open(l1)
    const made = new Deferred<string>()
    const running = cache.getOrSet('k', () => made.promise, options)
    await quiet()
    await Promise.all([cache.delete('j'), cache.deleteByTag('u'), cache.set('i', 1)])
    const joined = cache.getOrSet('k', () => 'not run', options)
    made.resolve('value')
    expect(await Promise.all([running, joined])).toEqual(['value', 'value'])
    expect(await cache.get('k')).toBe('value')
    expect(await other.get('k')).toBe('value')
  })
})

describe('without L1', () => {
  it('a get that a set overtakes returns one value or the other, not a miss', async () => {
    const { adapter, cache, other } = open(false)
    await other.set('k', 'old', options)
    const answer = adapter.holdAfter('get')
    const read = cache.get('k')
    await answer.reached
    await cache.set('k', 'set', options)
    answer.open()
    expect(['old', 'set']).toContain(await read)
  })

  it('a getOrSet whose L2 read began before a set does not overwrite it', async () => {
    const { adapter, cache, other } = open(false)
    const answer = adapter.holdAfter('get')
    const filling = cache.getOrSet('k', () => 'factory', options)
    await answer.reached
    await cache.set('k', 'set', options)
    answer.open()
    await filling
    expect(await other.get('k')).toBe('set')
  })

  it('a get after a set sees it, though a delete before has not been acknowledged', async () => {
    const { adapter, cache } = open(false)
    const answer = adapter.holdAfter('delete')
    const deleted = cache.delete('k')
    await answer.reached
    await cache.set('k', 'set')
    expect(await cache.get('k')).toBe('set')
    answer.open()
    await deleted
    expect(await cache.get('k')).toBe('set')
  })
})

describe('with L1', () => {
  it('an L2 read does not replace what a factory stored meanwhile', async () => {
    const { adapter, cache, other } = open({ maxEntries: 1 })
    await other.set('k', 'old', options)
    const answer = adapter.holdAfter('get')
    const read = cache.get('k')
    await answer.reached
    await other.delete('k')
    expect(await cache.getOrSet('k', () => 'new', options)).toBe('new')
    // It leaves L1, so that nothing but the fence can tell.
    await cache.set('j', 1)
    answer.open()
    await read
    expect(await cache.get('k')).toBe('new')
  })

  it('a getOrSet looks at L1 again after its L2 read', async () => {
    const { adapter, cache } = open({})
    const answer = adapter.holdAfter('get')
    const filling = cache.getOrSet('k', () => 'factory', options)
    await answer.reached
    await cache.set('k', 'set', options)
    answer.open()
    expect(await filling).toBe('set')
  })

  it('an entry set while a delete of its tag runs stays in L1', async () => {
    const { adapter, cache } = open({})
    const work = adapter.holdBefore('deleteByTag')
    const done = cache.deleteByTag('t')
    await work.reached
    await cache.set('k', 'set', options)
    work.open()
    await done
    expect(await cache.get('k')).toBe('set')
  })
})
