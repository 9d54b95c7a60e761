import { channel, tracingChannel } from 'node:diagnostics_channel'
import { L2Error, MemoryAdapter } from '@l2/core'
import { describe, expect, it, vi } from 'vitest'
import { Cache, type CacheOptions } from '../src/index.js'
import { ControlledAdapter, quiet } from './controlled-adapter.js'

const down = new Error('down')

function open(more: Omit<CacheOptions, 'l2'> = {}) {
  const l2 = new ControlledAdapter(new MemoryAdapter())
  return { l2, cache: new Cache({ l2, ...more }) }
}

/** Everything happens once. */
async function everything({ l2, cache }: ReturnType<typeof open>): Promise<void> {
  const fails = (): never => {
    throw down
  }
  await cache.set('secret key', 'secret value', { tags: ['secret tag'] })
  await cache.get('secret key')
  await cache.get('secret absent')
  await cache.getOrSet('secret default', fails, { failSafe: { defaultValue: 'secret value' } })
  await l2.set('secret corrupt', Buffer.from('secret value'))
  await cache.get('secret corrupt')
  l2.failures.set('deleteByTag', down)
  await cache.deleteByTag('secret tag').catch(() => {})
  for (let i = 0; i < 4; i++) {
    l2.failures.set('delete', down)
    await cache.delete('secret key').catch(() => {})
  }
}

const NAMES = ['hit', 'miss', 'l2Error', 'factoryError', 'failSafe', 'corrupt', 'breaker'] as const

describe('events', () => {
  it.each([false, true])('tell keys and tags only when asked: %s', async includeKeys => {
    const it = open({ includeKeys })
    const told: unknown[] = []
    for (const name of NAMES) it.cache.on(name, event => told.push(event))
    await everything(it)
    await it.cache.close()
    expect(told).toHaveLength(13)
    const text = JSON.stringify(told)
    expect([text.includes('secret key'), text.includes('secret tag')]).toEqual([
      includeKeys,
      includeKeys,
    ])
    expect(text).not.toContain('secret value')
  })
})

describe('the logger', () => {
  it('is told what goes wrong, in pino’s shape', async () => {
    const logger = { error: vi.fn(), warn: vi.fn(), info: vi.fn() }
    const it = open({ logger })
    await everything(it)
    expect(logger.warn.mock.calls.map(([, message]) => message)).toEqual([
      'a factory failed',
      'a stale value took the place of a factory',
      'an entry in L2 is unreadable',
      ...Array.from({ length: 5 }, () => 'L2 failed'),
    ])
    expect(logger.warn.mock.calls[0]).toEqual([{ err: down }, 'a factory failed'])
    expect(logger.error.mock.calls).toEqual([
      [
        { err: down, cause: 'server' },
        'L2 is left alone until it answers a ping: the breaker is open',
      ],
    ])
    await it.cache.close()
  })

  it('is checked', () => {
    expect(() => new Cache({ logger: console })).not.toThrow()
    expect(() => new Cache({ logger: { warn() {} } as never })).toThrow(
      'logger must be a logger: it has no method error',
    )
  })
})

describe('tracing channels', () => {
  /** What they tell while `work` runs, as `name operation`. */
  async function traced(work: () => Promise<unknown>) {
    const told: string[] = []
    const seen: object[] = []
    const stops = (['call', 'factory', 'l2'] as const).map(name => {
      const tell = (phase: string) => (message: unknown) => {
        const { operation } = message as { operation: string }
        seen.push({ ...(message as object) })
        told.push(`${phase} ${name} ${operation}`)
      }
      const subscribers = { start: tell('start'), asyncEnd: tell('end'), error: tell('error') }
      tracingChannel(`l2.cache.${name}`).subscribe(subscribers as never)
      return () => tracingChannel(`l2.cache.${name}`).unsubscribe(subscribers as never)
    })
    try {
      await work()
      await quiet()
    } finally {
      for (const stop of stops) stop()
    }
    return { told, seen }
  }

  it('tell calls that leave L1, factories, and calls to L2', async () => {
    const { cache } = open()
    const { told, seen } = await traced(async () => {
      expect(await cache.getOrSet('k', () => 'value')).toBe('value')
      expect(await cache.getOrSet('k', () => 'never')).toBe('value')
      await cache.deleteByTag('t')
    })
    expect(told).toEqual([
      'start call getOrSet',
      'start l2 get',
      'end l2 get',
      'start factory getOrSet',
      'end factory getOrSet',
      'start l2 set',
      'end l2 set',
      'end call getOrSet',
      'start call deleteByTag',
      'start l2 deleteByTag',
      'end l2 deleteByTag',
      'end call deleteByTag',
    ])
    for (const one of seen) {
      expect((one as { result?: unknown }).result).toBeUndefined()
      expect(Object.keys(one)).not.toContain('key')
      expect(Object.keys(one)).not.toContain('tag')
    }
  })

  it('tell failures, and keys when asked', async () => {
    const { l2, cache } = open({ includeKeys: true })
    l2.failures.set('delete', down)
    const { told, seen } = await traced(() => cache.delete('k').catch(() => {}))
    expect(told).toEqual([
      'start call delete',
      'start l2 delete',
      'error l2 delete',
      'end l2 delete',
      'error call delete',
      'end call delete',
    ])
    expect(seen[1]).toEqual({ operation: 'delete', key: 'k' })
    expect(seen[2]).toMatchObject({ error: down })
  })

  it('are heard by one who subscribed to one phase only', async () => {
    const { cache } = open()
    const listener = vi.fn()
    const ends = channel('tracing:l2.cache.call:asyncEnd')
    ends.subscribe(listener)
    await cache.get('k')
    ends.unsubscribe(listener)
    await cache.get('k')
    expect(listener).toHaveBeenCalledTimes(1)
  })
})

describe('health', () => {
  it('tells the size of L1, and how long a ping to L2 took', async () => {
    const { cache } = open({ l1: { maxBytes: 100 } })
    await cache.set('k', 'value')
    expect(await cache.health()).toEqual({
      status: 'up',
      l1: { entries: 1, bytes: 7 },
      l2: { status: 'up', breaker: 'closed', latency: expect.any(Number) },
    })
    expect(await new Cache().health()).toEqual({ status: 'up', l1: { entries: 0, bytes: 0 } })
  })

  it('is down where L2 does not answer, without a ping while the breaker is open', async () => {
    const { l2, cache } = open({ breaker: { threshold: 1 } })
    l2.failures.set('ping', down)
    expect(await cache.health()).toMatchObject({
      status: 'down',
      l2: { status: 'down', breaker: 'closed', error: 'Error' },
    })
    l2.failures.set('get', new L2Error('L2_UNAVAILABLE', 'gone'))
    await cache.get('k').catch(() => {})
    l2.calls.length = 0
    expect(await cache.health()).toMatchObject({
      status: 'down',
      l2: { status: 'down', breaker: 'open', error: 'L2_UNAVAILABLE: gone' },
    })
    expect(l2.calls).toEqual([])
    await cache.close()
  })

  it('does not wait longer than l2Timeouts.soft', async () => {
    const { l2, cache } = open({ defaults: { l2Timeouts: { soft: 20 } } })
    l2.holdBefore('ping')
    expect(await cache.health()).toMatchObject({ status: 'down' })
  })
})
