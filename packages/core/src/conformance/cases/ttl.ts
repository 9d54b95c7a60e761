import { expectHit, expectMiss, expectTrue, sameBytes, show } from '../check.js'
import { bytes, elapse } from '../context.js'
import { type Definition, must } from '../define.js'
import type { ClosableAdapter } from '../types.js'

// Clocks of ms: what was stored at 100.9 counts from 100, so an instant is known to 2 ms.
const GRAIN = 2

/**
 * Holds every read of `key` against the interval rule, until it surely expired: a get that resolves
 * before set was called + ttl hits, one that starts after set resolved + ttl misses.
 */
async function watchExpiry(
  write: () => Promise<void>,
  readers: readonly ClosableAdapter[],
  key: string,
  value: Uint8Array,
  ttl: number,
): Promise<void> {
  const called = performance.now()
  await write()
  const stored = performance.now()
  for (;;) {
    for (const reader of readers) {
      const started = performance.now()
      const seen = await reader.get(key)
      const ended = performance.now()
      if (seen === undefined) {
        const early = called + ttl - GRAIN - ended
        const when = `set with ttl ${ttl}, a get that ended ${Math.round(ended - called)} ms after the call`
        expectTrue(early <= 0, when, 'a hit', 'undefined')
      } else {
        const late = started - (stored + ttl + GRAIN)
        const when = `set with ttl ${ttl}, a get that began ${Math.round(started - stored)} ms after it resolved`
        expectTrue(late <= 0, when, 'a miss', show(seen))
        expectTrue(sameBytes(seen, value), when, show(value), show(seen))
      }
    }
    if (performance.now() > stored + ttl + 3 * GRAIN + 20) return
    await elapse(3)
  }
}

export const ttl: readonly Definition[] = [
  must(
    'ttl.interval',
    'Expiry',
    'get set',
    'hit until the ttl is over and miss from then on',
    async context => {
      const adapter = await context.open()
      const value = bytes('v')
      await watchExpiry(() => adapter.set('k', value, { ttl: 80 }), [adapter], 'k', value, 80)
    },
  ),

  must('ttl.one-ms', 'Expiry', 'get set', 'let an entry of 1 ms expire', async context => {
    const adapter = await context.open()
    const value = bytes('v')
    await watchExpiry(() => adapter.set('k', value, { ttl: 1 }), [adapter], 'k', value, 1)
  }),

  must(
    'ttl.unread',
    'Expiry',
    'get set',
    'miss an expired entry that nobody read meanwhile',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('v'), { ttl: 20, tags: ['t'] })
      await elapse(40)
      await expectMiss(adapter, 'k', 'set with ttl 20, 40 ms')
    },
  ),

  must('ttl.fraction', 'Expiry', 'get set', 'round fractions up', async context => {
    const adapter = await context.open()
    const value = bytes('v')
    await watchExpiry(() => adapter.set('k', value, { ttl: 60.25 }), [adapter], 'k', value, 61)
    // A fraction under 1 rounded down would be 0, "never".
    await adapter.set('tiny', value, { ttl: 0.001 })
    await elapse(10)
    await expectMiss(adapter, 'tiny', 'set with ttl 0.001, 10 ms')
  }),

  must('ttl.absent-is-never', 'Expiry', 'get set', 'keep an entry without ttl', async context => {
    const adapter = await context.open()
    await adapter.set('k', bytes('v'))
    await elapse(60)
    await expectHit(adapter, 'k', bytes('v'), 'set without ttl, 60 ms')
  }),

  must('ttl.zero-is-never', 'Expiry', 'get set', 'take a ttl of 0 for never', async context => {
    const adapter = await context.open()
    await adapter.set('k', bytes('v'), { ttl: 0 })
    await adapter.set('negative zero', bytes('v'), { ttl: -0 })
    await elapse(60)
    await expectHit(adapter, 'k', bytes('v'), 'set with ttl 0, 60 ms')
    await expectHit(adapter, 'negative zero', bytes('v'), 'set with ttl -0, 60 ms')
  }),

  must('ttl.longest', 'Expiry', 'get set deleteByTag', 'take a ttl of 2^53 - 1', async context => {
    const adapter = await context.open()
    // Beside the longest: timers and 32-bit seconds overflow at these.
    const long = [Number.MAX_SAFE_INTEGER, 2 ** 31, 2 ** 31 - 1, 2 ** 32, 2 ** 31 * 1_000, 1e15]
    for (const ttl of long) await adapter.set(`k${ttl}`, bytes('v'), { ttl, tags: ['t'] })
    // An overflow ends it at once, or in the next ms.
    await elapse(10)
    for (const ttl of long) await expectHit(adapter, `k${ttl}`, bytes('v'), `set with ttl ${ttl}`)
    await adapter.deleteByTag('t')
    for (const ttl of long) await expectMiss(adapter, `k${ttl}`, `set with ttl ${ttl}, deleteByTag`)
  }),

  must('ttl.each-its-own', 'Expiry', 'get set', 'give each entry its own ttl', async context => {
    const adapter = await context.open()
    await adapter.set('short', bytes('1'), { ttl: 30, tags: ['t'] })
    await adapter.set('long', bytes('2'), { ttl: 60_000, tags: ['t'] })
    await adapter.set('never', bytes('3'), { tags: ['t'] })
    await elapse(60)
    await expectMiss(adapter, 'short', 'set with ttl 30, 60 ms')
    await expectHit(adapter, 'long', bytes('2'), 'beside an entry that expired')
    await expectHit(adapter, 'never', bytes('3'), 'beside an entry that expired')
  }),

  must(
    'ttl.longer-replaces',
    'Expiry',
    'get set',
    'replace a short ttl by a longer one',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('1'), { ttl: 40 })
      await adapter.set('k', bytes('2'), { ttl: 60_000 })
      await elapse(80)
      await expectHit(adapter, 'k', bytes('2'), 'set with ttl 40, set with ttl 60 000, 80 ms')
    },
  ),

  must('ttl.never-replaces', 'Expiry', 'get set', 'replace a ttl by none', async context => {
    const adapter = await context.open()
    await adapter.set('k', bytes('1'), { ttl: 40 })
    await adapter.set('k', bytes('2'))
    await elapse(80)
    await expectHit(adapter, 'k', bytes('2'), 'set with ttl 40, set without, 80 ms')
  }),

  must(
    'ttl.shorter-replaces',
    'Expiry',
    'get set',
    'replace a long ttl, or none, by a short one',
    async context => {
      const adapter = await context.open()
      const value = bytes('2')
      for (const first of [undefined, 60_000]) {
        await adapter.set('k', bytes('1'), { ttl: first })
        await watchExpiry(() => adapter.set('k', value, { ttl: 40 }), [adapter], 'k', value, 40)
      }
    },
  ),

  must(
    'ttl.reading-does-not-renew',
    'Expiry',
    'get set',
    'not renew an entry that is read',
    async context => {
      const adapter = await context.open()
      const value = bytes('v')
      await watchExpiry(
        () => adapter.set('k', value, { ttl: 60 }),
        [adapter, adapter],
        'k',
        value,
        60,
      )
    },
  ),

  must(
    'ttl.set-again-after-expiry',
    'Expiry',
    'get set deleteByTag',
    'store anew under an expired key',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('1'), { ttl: 5, tags: ['old'] })
      await elapse(15)
      await adapter.set('k', bytes('2'))
      await expectHit(adapter, 'k', bytes('2'), 'set with ttl 5, 15 ms, set without')
      await adapter.deleteByTag('old')
      await expectHit(adapter, 'k', bytes('2'), 'deleteByTag of the tag that the expired entry had')
    },
  ),

  must('ttl.other-handle', 'Expiry', 'get set', 'expire alike for every handle', async context => {
    const [writer, reader] = [await context.open(), await context.open()]
    const value = bytes('v')
    const write = (): Promise<void> => writer.set('k', value, { ttl: 60 })
    await watchExpiry(write, [reader, writer], 'k', value, 60)
  }),
]
