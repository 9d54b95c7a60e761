import { isL2Error } from '../../errors.js'
import { expectRecovery, OPERATIONS, outcomeInTime } from '../calls.js'
import { ConformanceError, expectHit, expectTrue, sameBytes, show } from '../check.js'
import { bytes, elapse } from '../context.js'
import { type Definition, must } from '../define.js'

const during = (
  id: string,
  rule: string,
  operations: string,
  holds: string,
  run: Definition['run'],
): Definition => must(`stall.${id}`, rule, operations, holds, run, ['stall', 'restore'])

const ALL = 'get set delete deleteByTag clear ping'

export const stall: readonly Definition[] = [
  during(
    'deadline',
    'Never hang',
    ALL,
    'settle every call within its timeout when the backend hangs',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('v'), { tags: ['t'] })
      await context.break('stall')
      const calls = Object.entries(OPERATIONS).map(async ([name, call]) => {
        const outcome = await outcomeInTime(context, call(adapter))
        // A backend that answers reads while it takes no writes, as SQLite does, may answer.
        if (
          'value' in outcome &&
          (name !== 'get' || sameBytes(outcome.value as Uint8Array, bytes('v')))
        )
          return name
        const right = 'error' in outcome && isL2Error(outcome.error) && outcome.error.retryable
        const seen =
          'error' in outcome ? show(outcome.error) : `it resolved: ${show(outcome.value)}`
        expectTrue(right, `backend hangs, ${name}`, 'a retryable L2Error', seen)
        return undefined
      })
      const resolved = (await Promise.all(calls)).filter(
        name => name !== undefined && name !== 'get',
      )
      expectTrue(
        resolved.length === 0,
        'backend hangs',
        'no write is reported as done',
        `${resolved} resolved`,
      )
    },
  ),

  during(
    'abort',
    'Never hang',
    ALL,
    'reject at once with the reason when the signal aborts while the backend hangs',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('v'), { tags: ['t'] })
      await context.break('stall')
      for (const [name, call] of Object.entries(OPERATIONS)) {
        const controller = new AbortController()
        const reason = new Error('gone')
        const outcome = outcomeInTime(context, call(adapter, controller.signal))
        await elapse(5)
        const aborted = performance.now()
        controller.abort(reason)
        const seen = await outcome
        const took = performance.now() - aborted
        if ('value' in seen) continue
        expectTrue(
          seen.error === reason,
          `backend hangs, ${name} aborted`,
          'the reason',
          show(seen.error),
        )
        // "At once", on a machine that is busy.
        expectTrue(
          took < 1_000,
          `backend hangs, ${name} aborted`,
          'at once',
          `after ${Math.round(took)} ms`,
        )
      }
    },
  ),

  during(
    'abort-fails-no-others',
    'Never hang',
    'get set',
    'fail no other call when one is aborted while the backend hangs',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('v'))
      await context.break('stall')
      const controller = new AbortController()
      const { signal } = controller
      const mine = [adapter.get('k', { signal }), adapter.set('mine', bytes('v'), { signal })]
      const others = [adapter.get('k'), adapter.set('other', bytes('v'))]
      const settled = Promise.allSettled(others)
      await elapse(5)
      controller.abort()
      await Promise.allSettled(mine)
      await context.restore()
      for (const outcome of await settled) {
        // Given up with its connection, which the aborted write has to take along.
        const right = outcome.status === 'fulfilled' || isL2Error(outcome.reason)
        expectTrue(
          right,
          'another call aborted while the backend hung',
          'success, or an L2Error of its own',
          show(outcome.status === 'rejected' ? outcome.reason : ''),
        )
      }
      await expectRecovery(context, adapter)
    },
  ),

  during(
    'no-write-comes-back',
    'Never hang',
    'set delete',
    'let no given-up write undo a younger one of the same key',
    async context => {
      const adapter = await context.open()
      for (const giveUp of ['deadline', 'signal'] as const) {
        await adapter.set('deleted', bytes('old'))
        await context.break('stall')
        const signal = giveUp === 'signal' ? AbortSignal.timeout(20) : undefined
        await Promise.allSettled([
          adapter.set('k', bytes('given up'), { signal }),
          adapter.set('deleted', bytes('given up'), { signal }),
        ])
        await context.restore()
        await expectRecovery(context, adapter)
        await adapter.set('k', bytes('younger'))
        await adapter.delete('deleted')
        await elapse(200)
        await expectHit(
          adapter,
          'k',
          bytes('younger'),
          `set given up by its ${giveUp}, a younger set, 200 ms`,
        )
        const seen = await adapter.get('deleted')
        expectTrue(
          seen === undefined,
          `set given up by its ${giveUp}, a younger delete, 200 ms`,
          'undefined',
          show(seen),
        )
      }
    },
  ),

  during(
    'recovers',
    'What a crash may cost',
    'get set ping',
    'work again when the backend answers again',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('v'), { tags: ['t'] })
      await context.break('stall')
      await Promise.allSettled([adapter.get('k'), adapter.ping()])
      await context.restore()
      await expectRecovery(context, adapter)
      await expectHit(adapter, 'k', bytes('v'), 'set, backend hung and is back')
    },
  ),

  during(
    'close',
    'Never hang',
    'close',
    'close while the backend hangs, and settle what is in flight',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('v'))
      await context.break('stall')
      const calls = [adapter.get('k'), adapter.set('l', bytes('v')), adapter.deleteByTag('t')]
      const settled = Promise.allSettled(calls.map(call => outcomeInTime(context, call)))
      const closed = await outcomeInTime(context, adapter.close())
      if ('error' in closed && !isL2Error(closed.error))
        throw new ConformanceError(
          'backend hangs, close',
          'success or an L2Error',
          show(closed.error),
        )
      for (const outcome of await settled) if (outcome.status === 'rejected') throw outcome.reason
    },
  ),
]
