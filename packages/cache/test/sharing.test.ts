import { decodeEnvelope, encodeEnvelope, MemoryAdapter, MemoryStorage, NEVER } from '@l2/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Cache } from '../src/index.js'

const START = 1_000_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Two caches as two processes have them, and an adapter to look at what they share. */
function two() {
  const storage = new MemoryStorage()
  const open = (): Cache => new Cache({ l2: new MemoryAdapter({ storage }), includeKeys: true })
  return { a: open(), b: open(), raw: new MemoryAdapter({ storage }) }
}

describe('two caches over one storage', () => {
  it('share values: what one fills the other hits', async () => {
    const { a, b } = two()
    await a.getOrSet('k', () => ({ name: 'Åse', list: [1, null] }))
    const factory = vi.fn()
    expect(await b.getOrSet('k', factory)).toEqual({ name: 'Åse', list: [1, null] })
    expect(await b.get('k')).toEqual({ name: 'Åse', list: [1, null] })
    expect(factory).not.toHaveBeenCalled()
    expect(b.stats()).toMatchObject({ l2Hits: 1, l1Hits: 1, misses: 0, factories: 0 })
  })

  it('take over times and tags of L2, not of the call', async () => {
    const { a, b } = two()
    await a.set('k', 1, { ttl: 100, tags: ['t'] })
    vi.advanceTimersByTime(60)
    expect(await b.getOrSet('k', () => 2, { ttl: '1h', tags: ['u'] })).toBe(1)
    await b.deleteByTag('u')
    expect(await b.get('k')).toBe(1)
    vi.advanceTimersByTime(39)
    expect(await b.get('k')).toBe(1)
    vi.advanceTimersByTime(1)
    expect(await b.get('k')).toBeUndefined()

    await a.set('k', 3, { tags: ['t'] })
    expect(await b.get('k')).toBe(3)
    await b.deleteByTag('t')
    expect(await b.get('k')).toBeUndefined()
  })

  it('keep what L2 keeps longer for ttl in L1', async () => {
    const storage = new MemoryStorage()
    const open = (): Cache =>
      new Cache({ l2: new MemoryAdapter({ storage }), defaults: { ttl: 100, l2Ttl: '1h' } })
    const [a, b] = [open(), open()]
    await a.set('k', 'old')
    vi.advanceTimersByTime(1_000)
    expect(await b.get('k')).toBe('old')
    await a.set('k', 'new')
    vi.advanceTimersByTime(99)
    expect(await b.get('k')).toBe('old')
    vi.advanceTimersByTime(1)
    expect(await b.getOrSet('k', () => 'made')).toBe('new')
  })

  it('invalidate by tag exactly what carries it', async () => {
    const { a, b } = two()
    await a.set('de', 1, { tags: ['europe', 'de'] })
    await a.set('fr', 2, { tags: ['europe', 'fr'] })
    await a.set('jp', 3, { tags: ['asia'] })
    await b.deleteByTag('de')
    expect([await b.get('de'), await b.get('fr'), await b.get('jp')]).toEqual([undefined, 2, 3])
    await b.deleteByTag('europe')
    expect([await b.get('fr'), await b.get('jp')]).toEqual([undefined, 3])
  })

  it('write envelopes with equal expiries, tags, and a creation before the factory ran', async () => {
    const { a, raw } = two()
    await a.getOrSet(
      'k',
      () => {
        vi.advanceTimersByTime(30)
        return 'value'
      },
      { ttl: 100, tags: ['t', 't', 'u'] },
    )
    expect(decodeEnvelope((await raw.get('k')) as Uint8Array)).toMatchObject({
      payload: new Uint8Array(Buffer.from('"value"')),
      logicalExpiry: START + 130,
      physicalExpiry: START + 130,
      tags: ['t', 'u'],
      createdAt: START,
    })
    // The adapter's own ttl agrees.
    vi.setSystemTime(START + 129)
    expect(await raw.get('k')).toBeDefined()
    vi.setSystemTime(START + 130)
    expect(await raw.get('k')).toBeUndefined()

    await a.set('never', 1)
    vi.setSystemTime(1e15)
    expect(decodeEnvelope((await raw.get('never')) as Uint8Array)).toMatchObject({
      logicalExpiry: NEVER,
      physicalExpiry: NEVER,
      tags: [],
    })
  })

  it.each([
    ['gone', START - 2, START, undefined],
    ['stale', START, START + 50, undefined],
    ['fresh', START + 1, START + 50, 'value'],
    ['without creation', START + 1, START + 1, 'value'],
  ])('read an envelope that is %s', async (_, logicalExpiry, physicalExpiry, value) => {
    const { b, raw } = two()
    const payload = Buffer.from('"value"')
    await raw.set('k', encodeEnvelope({ payload, logicalExpiry, physicalExpiry, tags: [] }))
    expect(await b.get('k')).toBe(value)
  })
})

describe('what comes back from L2 is not trusted', () => {
  const envelope = (payload: string | Uint8Array): Uint8Array =>
    encodeEnvelope({
      payload: Buffer.from(payload),
      logicalExpiry: NEVER,
      physicalExpiry: NEVER,
      tags: [],
    })

  it.each([
    ['bytes that are no envelope', Buffer.from('value')],
    ['an empty value', Buffer.of()],
    ['an envelope cut off', envelope('"value"').subarray(0, 20)],
    ['a payload that is not JSON', envelope('secret-value')],
    ['a payload that is not UTF-8', envelope(Uint8Array.of(0x22, 0xff, 0x22))],
    ['an empty payload', envelope('')],
    ['__proto__', envelope('{"__proto__":{"polluted":true}}')],
  ])('%s: a miss and an event', async (_, bytes) => {
    const { b, raw } = two()
    await raw.set('k', bytes)
    const told: unknown[] = []
    b.on('corrupt', event => told.push(event))
    expect(await b.get('k')).toBeUndefined()
    expect(await b.getOrSet('k', () => 'made')).toBe('made')
    expect(told).toHaveLength(2)
    expect(told[0]).toMatchObject({ key: 'k', error: { code: 'L2_CORRUPT_ENVELOPE' } })
    expect(b.stats()).toMatchObject({ corrupt: 2, misses: 2, l2Errors: 0 })
    expect((told[0] as { error: Error }).error.message).not.toContain('secret')
    expect((told[0] as { error: Error }).error.cause).toBeUndefined()
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    // The good value has taken its place.
    expect(await new Cache({ l2: raw }).get('k')).toBe('made')
  })

  it('a serializer that makes undefined of it: a miss too', async () => {
    const l2 = new MemoryAdapter()
    await l2.set('k', envelope('x'))
    const serializer = { serialize: () => Buffer.from('x'), deserialize: () => undefined }
    const cache = new Cache({ l2, serializer })
    expect(await cache.get('k')).toBeUndefined()
    expect(cache.stats()).toMatchObject({ corrupt: 1, misses: 1 })
  })
})
