import { expectHit, expectMiss, expectTrue, sameBytes, show } from '../check.js'
import { clientsAtOnce, expectNoOrphans, KEYS, someTags, TAGS } from '../clients.js'
import { bytes, type Context, elapse } from '../context.js'
import { type Definition, must, should } from '../define.js'
import { History } from '../history.js'
import type { ClosableAdapter } from '../types.js'

const openThree = (context: Context): Promise<ClosableAdapter[]> =>
  Promise.all([context.open(), context.open(), context.open()])

export const concurrency: readonly Definition[] = [
  must(
    'concurrency.two-writers',
    'No orphans',
    'set deleteByTag',
    'give the winner of two concurrent sets its own tags',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      for (const _ of context.rounds(60)) {
        await Promise.all([
          one.set('k', bytes('a'), { tags: ['a'] }),
          other.set('k', bytes('b'), { tags: ['b'] }),
        ])
        const winner = (await one.get('k')) ?? bytes('')
        const [right, wrong] = sameBytes(winner, bytes('a')) ? ['a', 'b'] : ['b', 'a']
        await one.deleteByTag(wrong)
        await expectHit(
          other,
          'k',
          bytes(right),
          `'${right}' won over '${wrong}', deleteByTag('${wrong}')`,
        )
        await other.deleteByTag(right)
        await expectMiss(one, 'k', `'${right}' won over '${wrong}', deleteByTag('${right}')`)
      }
    },
  ),

  must(
    'concurrency.retag-against-deleteByTag',
    'No orphans',
    'set deleteByTag',
    'leave an entry re-tagged during deleteByTag whole or gone',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      for (const _ of context.rounds(60)) {
        await one.set('k', bytes('1'), { tags: ['old'] })
        await Promise.all([one.set('k', bytes('2'), { tags: ['new'] }), other.deleteByTag('old')])
        const seen = await other.get('k')
        const whole = seen === undefined || sameBytes(seen, bytes('2'))
        expectTrue(
          whole,
          "set with ['new'] beside deleteByTag('old')",
          'the new value or none',
          show(seen),
        )
        await other.deleteByTag('new')
        await expectMiss(one, 'k', "set with ['new'] beside deleteByTag('old'), deleteByTag('new')")
      }
    },
  ),

  must(
    'concurrency.set-against-delete',
    'No orphans',
    'set delete',
    'leave an entry set during a delete whole or gone',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      for (const _ of context.rounds(60)) {
        await one.set('k', bytes('1'), { tags: ['t'] })
        await Promise.all([one.set('k', bytes('2'), { tags: ['t'] }), other.delete('k')])
        const seen = await one.get('k')
        const whole = seen === undefined || sameBytes(seen, bytes('2'))
        expectTrue(whole, 'set beside delete', 'the new value or none', show(seen))
        await other.deleteByTag('t')
        await expectMiss(one, 'k', "set with ['t'] beside delete, deleteByTag('t')")
      }
    },
  ),

  must(
    'concurrency.random-sequence',
    'Order',
    'get set delete deleteByTag',
    'agree with a model in a random sequence of calls',
    async context => {
      const handles = await openThree(context)
      const model = new Map<string, { value: Uint8Array; tags: readonly string[] }>()
      for (const i of context.rounds(600)) {
        const adapter = context.random.pick(handles)
        const key = context.random.pick(KEYS)
        const choice = context.random.int(10)
        if (choice < 5) {
          const entry = { value: bytes(`${i}`), tags: someTags(context.random) }
          await adapter.set(key, entry.value, { tags: entry.tags })
          model.set(key, entry)
        } else if (choice < 7) {
          await adapter.delete(key)
          model.delete(key)
        } else {
          const tag = context.random.pick(TAGS)
          await adapter.deleteByTag(tag)
          for (const [other, { tags }] of model) if (tags.includes(tag)) model.delete(other)
        }
        const reads = KEYS.map(one => context.random.pick(handles).get(one))
        for (const [at, seen] of (await Promise.all(reads)).entries()) {
          const expected = model.get(KEYS[at] as string)?.value
          const done = `${i + 1} random calls, get('${KEYS[at]}')`
          expectTrue(sameBytes(seen, expected), done, show(expected), show(seen))
        }
      }
    },
  ),

  must(
    'concurrency.no-stale-reads',
    'Order',
    'get set delete deleteByTag clear',
    'never give a value after its invalidation was acknowledged',
    async context => {
      const handles = await openThree(context)
      const history = new History()
      await clientsAtOnce(context, history, handles, 250)
      history.check()
    },
  ),

  must(
    'concurrency.no-orphans',
    'No orphans',
    'get set delete deleteByTag clear',
    'let each of its tags remove any entry left by concurrent calls',
    async context => {
      const handles = await openThree(context)
      for (const _ of context.rounds(25)) {
        const history = new History()
        await clientsAtOnce(context, history, handles, 12)
        await expectNoOrphans(context, history, context.random.pick(handles))
        await handles[0]?.clear()
      }
    },
  ),

  must(
    'concurrency.expired-read-beside-set',
    'Expiry',
    'get set',
    'not lose a fresh set to a get that meets the expired entry before it',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      for (const _ of context.rounds(40)) {
        await one.set('k', bytes('old'), { ttl: 1, tags: ['t'] })
        await elapse(3)
        const reads = [other.get('k'), other.get('k')]
        await Promise.all([one.set('k', bytes('new')), ...reads, other.get('k')])
        await expectHit(
          other,
          'k',
          bytes('new'),
          'set with ttl 1, 3 ms, set beside gets of another handle',
        )
      }
    },
  ),

  should(
    'concurrency.overwrite-is-never-a-miss',
    'Order',
    'get set',
    'give the old or the new value, not a miss, while an entry is overwritten',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      await one.set('k', bytes('0'), { tags: ['t'] })
      for (let i = 1; i < 60; i++) {
        const writing = one.set('k', bytes(`${i}`), { tags: ['t', `t${i % 2}`] })
        const seen = await Promise.all([other.get('k'), other.get('k'), other.get('k')])
        await writing
        for (const value of seen)
          expectTrue(
            value !== undefined,
            'get beside a set of an entry that is there',
            'a hit',
            'undefined',
          )
      }
    },
  ),
]
