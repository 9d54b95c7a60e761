import { inspect } from 'node:util'
import { isL2Error } from '../../errors.js'
import { expectRecovery, OPERATIONS, outcomeInTime } from '../calls.js'
import {
  ConformanceError,
  expectHit,
  expectMiss,
  expectRejection,
  expectTrue,
  show,
} from '../check.js'
import { bytes, type Context, elapse } from '../context.js'
import { type Definition, must } from '../define.js'

const during = (
  id: string,
  rule: string,
  operations: string,
  holds: string,
  run: Definition['run'],
): Definition => must(`cut.${id}`, rule, operations, holds, run, ['cut', 'restore'])

/** Each operation fails, as a failure and in time, while `context` is cut off. */
async function expectFailures(
  context: Context,
  names: readonly (keyof typeof OPERATIONS)[],
): Promise<void> {
  const adapter = await context.open()
  await adapter.set('k', bytes('v'), { tags: ['t'] })
  await context.break('cut')
  for (const name of names) {
    const outcome = await outcomeInTime(context, OPERATIONS[name](adapter))
    const right = 'error' in outcome && isL2Error(outcome.error) && outcome.error.retryable
    const seen = 'error' in outcome ? show(outcome.error) : `it resolved: ${show(outcome.value)}`
    expectTrue(right, `backend cut off, ${name}`, 'a retryable L2Error', seen)
  }
}

export const cut: readonly Definition[] = [
  during('get-is-no-miss', 'Miss', 'get', 'fail, not miss, when the backend is cut off', context =>
    expectFailures(context, ['get']),
  ),
  during(
    'writes-fail',
    'Misuse',
    'set delete',
    'report no write as done when the backend is cut off',
    context => expectFailures(context, ['set', 'delete']),
  ),
  during(
    'invalidations-fail',
    'Misuse',
    'deleteByTag clear',
    'report no invalidation as done when the backend is cut off',
    context => expectFailures(context, ['deleteByTag', 'clear']),
  ),
  during('ping-fails', 'ping', 'ping', 'fail ping when the backend is cut off', context =>
    expectFailures(context, ['ping']),
  ),

  during(
    'recovers',
    'What a crash may cost',
    'get set delete deleteByTag clear ping',
    'work again, with what was acknowledged, when the backend is back',
    async context => {
      const [adapter, other] = [await context.open(), await context.open()]
      await adapter.set('k', bytes('v'), { tags: ['t'] })
      await adapter.set('gone', bytes('v'), { tags: ['u'] })
      await adapter.deleteByTag('u')
      await context.break('cut')
      await adapter.get('k').catch(() => {})
      await context.restore()
      await expectRecovery(context, adapter)
      await expectRecovery(context, other)
      await expectHit(adapter, 'k', bytes('v'), 'set, backend cut off and back')
      await expectMiss(adapter, 'gone', 'deleteByTag, backend cut off and back')
      await adapter.set('k', bytes('w'), { tags: ['t'] })
      await expectHit(
        other,
        'k',
        bytes('w'),
        'backend cut off and back, set, get by another handle',
      )
      await other.deleteByTag('t')
      await expectMiss(adapter, 'k', 'backend cut off and back, deleteByTag')
      await adapter.clear()
    },
  ),

  during(
    'nothing-is-sent-later',
    'Never hang',
    'set delete',
    'not carry out later what was reported as failed',
    async context => {
      const adapter = await context.open()
      await adapter.set('kept', bytes('v'))
      await context.break('cut')
      await Promise.all([
        adapter.set('late', bytes('late')).catch(() => {}),
        adapter.delete('kept').catch(() => {}),
        adapter.set('again', bytes('old')).catch(() => {}),
      ])
      await context.restore()
      await expectRecovery(context, adapter)
      // What reached the backend before it was cut off has taken effect by now; nothing else may.
      const before = await Promise.all(['late', 'kept'].map(key => adapter.get(key)))
      await adapter.set('again', bytes('new'))
      await elapse(400)
      const after = await Promise.all(['late', 'kept'].map(key => adapter.get(key)))
      const done = 'set or delete failed while cut off, 400 ms after the backend is back'
      for (const [i, key] of ['late', 'kept'].entries())
        expectTrue(
          (before[i] === undefined) === (after[i] === undefined),
          `${done}, get('${key}')`,
          show(before[i]),
          show(after[i]),
        )
      await expectHit(
        adapter,
        'again',
        bytes('new'),
        'a set failed while cut off, a younger one resolved',
      )
    },
  ),

  during(
    'leaves-no-orphans',
    'No orphans',
    'set deleteByTag',
    'leave entries whole when the backend is cut off in the middle',
    async context => {
      const adapter = await context.open()
      for (let round = 0; round < 4; round++) {
        const sets = Array.from({ length: 60 }, (_, i) =>
          adapter.set(`k${i % 20}`, bytes(`${i % 3}`), { tags: [`t${i % 3}`] }).catch(() => {}),
        )
        await elapse(round)
        await context.break('cut')
        await Promise.all(sets)
        await context.restore()
        await expectRecovery(context, adapter)
        for (let i = 0; i < 20; i++) {
          const seen = await adapter.get(`k${i}`)
          if (seen === undefined) continue
          await adapter.deleteByTag(`t${Buffer.from(seen).toString()}`)
          await expectMiss(
            adapter,
            `k${i}`,
            'cut off during sets, back, deleteByTag of the tag of its value',
          )
        }
      }
    },
  ),

  during(
    'no-values-in-errors',
    'Misuse',
    'get set delete',
    'put no value into an error',
    async context => {
      const adapter = await context.open()
      const canary = 'canary-7f3a'
      await adapter.ping()
      await context.break('cut')
      const calls = [
        adapter.set('k', bytes(canary), { tags: ['t'] }),
        adapter.get('k'),
        adapter.delete('k'),
      ]
      for (const outcome of await Promise.allSettled(calls)) {
        const shown =
          outcome.status === 'rejected'
            ? inspect(outcome.reason, { depth: 8, showHidden: true })
            : ''
        const hex = Buffer.from(canary).toString('hex')
        const leaked = [canary, hex, hex.replace(/../g, '$& ').trim()].some(each =>
          shown.includes(each),
        )
        expectTrue(
          !leaked,
          'set failed while cut off, its error inspected',
          'no trace of the value',
          'the value',
        )
      }
    },
  ),

  during('close', 'Never hang', 'close', 'close while the backend is cut off', async context => {
    const adapter = await context.open()
    await adapter.set('k', bytes('v'))
    await context.break('cut')
    const closed = await outcomeInTime(context, adapter.close())
    if ('error' in closed && !isL2Error(closed.error))
      throw new ConformanceError(
        'backend cut off, close',
        'success or an L2Error',
        show(closed.error),
      )
    await expectRejection(
      () => adapter.get('k'),
      { code: 'L2_CLOSED' },
      'closed while cut off, get',
    )
  }),
]
