import { expectHit, expectRejection, held } from '../check.js'
import { bytes } from '../context.js'
import { type Definition, must } from '../define.js'
import type { ClosableAdapter } from '../types.js'

const CALLS: Readonly<Record<string, (adapter: ClosableAdapter) => Promise<unknown>>> = {
  get: adapter => adapter.get('k'),
  set: adapter => adapter.set('k', bytes('v')),
  delete: adapter => adapter.delete('k'),
  deleteByTag: adapter => adapter.deleteByTag('t'),
  clear: adapter => adapter.clear(),
  ping: adapter => adapter.ping(),
}

export const close: readonly Definition[] = [
  must(
    'close.later-calls',
    'Misuse',
    'get set delete deleteByTag clear ping close',
    'reject calls after close() with L2_CLOSED',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('v'))
      await adapter.close()
      for (const [name, call] of Object.entries(CALLS))
        await expectRejection(() => call(adapter), { code: 'L2_CLOSED' }, `close, then ${name}`)
    },
  ),

  must(
    'close.at-once',
    'Misuse',
    'get set delete deleteByTag clear ping close',
    'reject calls from the moment close() is called',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('v'))
      const closed = adapter.close()
      for (const [name, call] of Object.entries(CALLS))
        await expectRejection(
          () => call(adapter),
          { code: 'L2_CLOSED' },
          `close not awaited, then ${name}`,
        )
      await closed
    },
  ),

  must(
    'close.never-used',
    'Misuse',
    'close',
    'close an adapter that was never used',
    async context => {
      const adapter = await context.open()
      await adapter.close()
      await expectRejection(() => adapter.get('k'), { code: 'L2_CLOSED' }, 'close, then get')
    },
  ),

  must(
    'close.twice',
    'Misuse',
    'close',
    'be closed more than once, at once and later',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('v'))
      await Promise.all([adapter.close(), adapter.close()])
      await adapter.close()
    },
  ),

  must(
    'close.in-flight',
    'Misuse',
    'set close',
    'settle the calls that were made before close()',
    async context => {
      const adapter = await context.open()
      const sets = Array.from({ length: 100 }, (_, i) =>
        held(adapter.set(`k${i}`, bytes(`${i}`), { tags: ['t'] })),
      )
      const outcomes = Promise.allSettled(sets)
      await adapter.close()
      const other = await context.open()
      for (const [i, outcome] of (await outcomes).entries()) {
        if (outcome.status === 'fulfilled')
          await expectHit(
            other,
            `k${i}`,
            bytes(`${i}`),
            'set resolved while its adapter was closing',
          )
      }
    },
  ),

  must(
    'close.order-of-checks',
    'Misuse',
    'get set close',
    'check arguments first, then closed, then aborted',
    async context => {
      const adapter = await context.open()
      const aborted = AbortSignal.abort(new Error('aborted'))
      const badKey = (): Promise<unknown> => adapter.get('\ud800', { signal: aborted })
      await expectRejection(
        badKey,
        { error: 'TypeError' },
        'get with a bad key and an aborted signal',
      )
      await adapter.close()
      await expectRejection(
        badKey,
        { error: 'TypeError' },
        'closed, get with a bad key and an aborted signal',
      )
      const badTtl = (): Promise<unknown> =>
        adapter.set('k', bytes('v'), { ttl: -1, signal: aborted })
      await expectRejection(
        badTtl,
        { error: 'RangeError' },
        'closed, set with ttl -1 and an aborted signal',
      )
      const call = (): Promise<unknown> => adapter.get('k', { signal: aborted })
      await expectRejection(call, { code: 'L2_CLOSED' }, 'closed, get with an aborted signal')
    },
  ),

  must(
    'close.others-stay-open',
    'Misuse',
    'get set close',
    'close one handle without closing another',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      await one.set('k', bytes('v'))
      await other.get('k')
      await one.close()
      await expectHit(other, 'k', bytes('v'), 'set by a handle that was closed, get by another')
      await other.set('k', bytes('w'))
    },
  ),

  must(
    'close.data-stays',
    'Order',
    'get set close',
    'keep the data when the last handle is closed and another opened',
    async context => {
      // One handle stays, since in memory nothing outlives the last one.
      const keeper = await context.open()
      await keeper.ping()
      const first = await context.open()
      await first.set('k', bytes('v'), { tags: ['t'] })
      await first.close()
      const second = await context.open()
      await expectHit(second, 'k', bytes('v'), 'set, close, a new handle')
    },
  ),

  must(
    'close.async-dispose',
    'Misuse',
    'close',
    'be closed by [Symbol.asyncDispose] too',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('v'))
      await adapter[Symbol.asyncDispose]()
      await expectRejection(
        () => adapter.get('k'),
        { code: 'L2_CLOSED' },
        '[Symbol.asyncDispose], then get',
      )
      await adapter.close()
    },
  ),
]
