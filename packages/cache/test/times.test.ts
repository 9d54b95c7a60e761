import { decodeEnvelope, type MemoryAdapter, NEVER } from '@l2/core'
import { describe, expect, it, vi } from 'vitest'
import { fakeTime } from './support/fake-time.js'
import { openNode } from './support/node.js'

const START = 1_000_000
const MINUTE = 60_000

fakeTime(START)

const failSafe = { maxDuration: '1h', throttle: '10s' } as const
const options = { ttl: '1m', failSafe } as const

describe('times', () => {
  const envelopeOf = async (raw: MemoryAdapter) =>
    decodeEnvelope((await raw.get('k')) as Uint8Array)

  it('has a ttl of its own in L2', async () => {
    const { cache, raw, node } = openNode()
    await cache.set('k', 1, { ttl: '1m', l2Ttl: '2m' })
    expect(await envelopeOf(raw)).toMatchObject({
      logicalExpiry: START + 2 * MINUTE,
      physicalExpiry: START + 2 * MINUTE,
    })
    vi.advanceTimersByTime(MINUTE)
    expect([cache.stats().l1Hits, await cache.get('k'), cache.stats().l2Hits]).toEqual([0, 1, 1])
    vi.advanceTimersByTime(MINUTE)
    expect([await cache.get('k'), await node().get('k')]).toEqual([undefined, undefined])
  })

  it('keeps what fails safe until maxDuration, or its ttl where that is longer', async () => {
    const { cache, raw } = openNode()
    await cache.set('k', 1, options)
    expect(await envelopeOf(raw)).toMatchObject({
      logicalExpiry: START + MINUTE,
      physicalExpiry: START + 60 * MINUTE,
    })
    await cache.set('k', 1, { ...options, l2Ttl: '2h' })
    expect(await envelopeOf(raw)).toMatchObject({
      logicalExpiry: START + 120 * MINUTE,
      physicalExpiry: START + 120 * MINUTE,
    })
    await cache.set('k', 1, { failSafe })
    expect(await envelopeOf(raw)).toMatchObject({
      logicalExpiry: NEVER,
      physicalExpiry: NEVER,
    })
  })

  it('adds up to jitter, the same to each', async () => {
    const { cache, raw } = openNode()
    const added = new Set<number>()
    for (let i = 0; i < 200; i++) {
      await cache.set('k', 1, { ...options, jitter: '10s' })
      const { logicalExpiry, physicalExpiry } = await envelopeOf(raw)
      const jitter = logicalExpiry - START - MINUTE
      expect(physicalExpiry).toBe(START + 60 * MINUTE + jitter)
      added.add(jitter)
    }
    expect(Math.min(...added)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...added)).toBeLessThanOrEqual(10_000)
    expect(added.size).toBeGreaterThan(100)
  })

  it.each([
    { ttl: NEVER, jitter: 1_000 },
    { ttl: NEVER },
    { ttl: NEVER - START },
    { ttl: 1_000, l2Ttl: NEVER },
    { ttl: 1_000, jitter: 5_000, failSafe: { maxDuration: NEVER } },
  ])('what would end later than any time ends never: %j', async longest => {
    const { cache, l2, raw } = openNode()
    const set = vi.spyOn(l2, 'set')
    await cache.set('k', 'v', longest)
    expect((await envelopeOf(raw)).physicalExpiry).toBe(NEVER)
    expect(set.mock.lastCall?.[2]).toMatchObject({ ttl: 0 })
  })

  it('adds nothing to what never expires', async () => {
    const { cache, raw } = openNode()
    await cache.set('k', 1, { jitter: '10s' })
    expect((await envelopeOf(raw)).logicalExpiry).toBe(NEVER)
  })

  it('jitters L1 as it does L2', async () => {
    const { cache, raw } = openNode()
    await cache.set('k', 1, { ttl: '1m', jitter: '1h' })
    const { logicalExpiry } = await envelopeOf(raw)
    await raw.delete('k')
    vi.setSystemTime(logicalExpiry - 1)
    expect(await cache.get('k')).toBe(1)
    vi.setSystemTime(logicalExpiry)
    expect(await cache.get('k')).toBeUndefined()
  })
})
