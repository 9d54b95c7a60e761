import { expectHit, expectMiss, expectMisses, expectTrue, held, sameBytes, show } from '../check.js'
import { bytes, elapse } from '../context.js'
import { type Definition, must } from '../define.js'

export const order: readonly Definition[] = [
  must(
    'order.sets-of-one-key',
    'Order',
    'set',
    'apply 1 000 sets of one turn to one key in their order',
    async context => {
      const adapter = await context.open()
      await Promise.all(
        Array.from({ length: 1_000 }, (_, i) =>
          adapter.set('k', bytes(`${i}`), { tags: [`t${i % 7}`] }),
        ),
      )
      await expectHit(adapter, 'k', bytes('999'), '1 000 sets of one key in one turn')
      await adapter.deleteByTag(`t${999 % 7}`)
      await expectMiss(
        adapter,
        'k',
        '1 000 sets of one key in one turn, deleteByTag of the last tag',
      )
    },
    ['tags'],
  ),

  must(
    'order.reads-between-writes',
    'Order',
    'get set',
    'let a get see the set made before it, awaited or not',
    async context => {
      const adapter = await context.open()
      const turns = Array.from(
        { length: 200 },
        (_, i) => [held(adapter.set('k', bytes(`${i}`))), held(adapter.get('k'))] as const,
      )
      for (const [i, [set, get]] of turns.entries()) {
        const [, seen] = await Promise.all([set, get])
        expectTrue(
          sameBytes(seen, bytes(`${i}`)),
          `set ${i}, get, set ${i + 1}, … not awaited`,
          `${i}`,
          show(seen),
        )
      }
    },
  ),

  must(
    'order.set-delete-set',
    'Order',
    'get set delete',
    'keep set and delete of one key in order, awaited or not',
    async context => {
      const adapter = await context.open()
      for (let i = 0; i < 50; i++) {
        const calls = [
          adapter.set('k', bytes('1'), { tags: ['t'] }),
          adapter.delete('k'),
          adapter.get('k'),
        ].map(call => held<unknown>(call))
        const again = [
          adapter.set('k', bytes('2')),
          adapter.get('k'),
          adapter.delete('k'),
          adapter.get('k'),
        ].map(call => held<unknown>(call))
        const [, , first] = await Promise.all(calls)
        const [, second, , third] = await Promise.all(again)
        expectTrue(first === undefined, 'set, delete, get in one turn', 'undefined', show(first))
        expectTrue(
          sameBytes(second as Uint8Array | undefined, bytes('2')),
          'delete, set, get in one turn',
          '2',
          show(second),
        )
        expectTrue(third === undefined, 'set, delete, get in one turn', 'undefined', show(third))
      }
    },
  ),

  must(
    'order.deleteByTag-after-sets',
    'Order',
    'set deleteByTag',
    'let deleteByTag come after all calls made before it',
    async context => {
      const adapter = await context.open()
      const sets = Array.from({ length: 300 }, (_, i) =>
        held(adapter.set(`k${i}`, bytes('v'), { tags: ['t'] })),
      )
      const deleted = adapter.deleteByTag('t')
      await Promise.all([...sets, deleted])
      await expectMisses(
        adapter,
        sets.map((_, i) => `k${i}`),
        '300 sets and deleteByTag in one turn',
      )
    },
  ),

  must(
    'order.clear-after-sets',
    'Order',
    'set clear',
    'let clear come after all calls made before it',
    async context => {
      const adapter = await context.open()
      const sets = Array.from({ length: 300 }, (_, i) =>
        held(adapter.set(`k${i}`, bytes('v'), { tags: ['t'] })),
      )
      const cleared = adapter.clear()
      await Promise.all([...sets, cleared])
      await expectMisses(
        adapter,
        sets.map((_, i) => `k${i}`),
        '300 sets and clear in one turn',
      )
    },
  ),

  must(
    'order.retag-before-deleteByTag',
    'Order',
    'set deleteByTag',
    'apply a re-tagging made before deleteByTag',
    async context => {
      const adapter = await context.open()
      for (let i = 0; i < 20; i++) {
        await adapter.set('k', bytes('1'), { tags: ['old'] })
        await Promise.all([
          adapter.set('k', bytes('2'), { tags: ['new'] }),
          adapter.deleteByTag('old'),
        ])
        await expectHit(
          adapter,
          'k',
          bytes('2'),
          "set with ['new'] and deleteByTag('old') in one turn",
        )
      }
    },
  ),

  must(
    'order.many-keys-of-one-turn',
    'Order',
    'get set',
    'give each of 1 000 gets of one turn its own value',
    async context => {
      const adapter = await context.open()
      const keys = Array.from({ length: 1_000 }, (_, i) => `k${i}`)
      await Promise.all(keys.map(key => adapter.set(key, bytes(key))))
      const seen = await Promise.all([...keys, 'absent', ...keys].map(key => adapter.get(key)))
      const expected = [...keys, undefined, ...keys]
      for (const [i, value] of seen.entries()) {
        const key = expected[i]
        const right = sameBytes(value, key === undefined ? undefined : bytes(key))
        expectTrue(right, `2 001 gets of one turn, number ${i}`, String(key), show(value))
      }
    },
  ),

  must(
    'order.set-after-deleteByTag',
    'Order',
    'set deleteByTag',
    'never remove what was set after deleteByTag had resolved, also later',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      for (let i = 0; i < 50; i++) await one.set(`k${i}`, bytes('old'), { tags: ['t'] })
      await one.deleteByTag('t')
      await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          (i % 2 ? one : other).set(`k${i}`, bytes('new'), { tags: ['t'] }),
        ),
      )
      await elapse(80)
      for (let i = 0; i < 50; i++)
        await expectHit(one, `k${i}`, bytes('new'), 'deleteByTag, set with its tag, 80 ms')
    },
  ),

  must(
    'order.set-after-clear',
    'Order',
    'set clear',
    'never remove what was set after clear had resolved, also later',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      for (let i = 0; i < 50; i++) await one.set(`k${i}`, bytes('old'), { tags: ['t'] })
      await one.clear()
      await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          (i % 2 ? one : other).set(`k${i}`, bytes('new'), { tags: ['t'] }),
        ),
      )
      await elapse(80)
      for (let i = 0; i < 50; i++) await expectHit(one, `k${i}`, bytes('new'), 'clear, set, 80 ms')
    },
  ),

  must(
    'order.one-turn-against-a-model',
    'Order',
    'get set delete',
    'answer 1 000 random calls of one turn as if they were made one by one',
    async context => {
      const adapter = await context.open()
      const keys = ['a', 'b', 'c', 'd']
      const model = new Map<string, string>()
      const reads: {
        i: number
        key: string
        expected: string | undefined
        seen: Promise<Uint8Array | undefined>
      }[] = []
      const writes: Promise<void>[] = []
      for (let i = 0; i < 1_000; i++) {
        const key = context.random.pick(keys)
        const choice = context.random.int(10)
        if (choice < 4) {
          model.set(key, `${i}`)
          const tags = context.random.int(2) ? ['t', `t${i}`] : []
          writes.push(held(adapter.set(key, bytes(`${i}`), { tags })))
        } else if (choice < 6) {
          model.delete(key)
          writes.push(held(adapter.delete(key)))
        } else reads.push({ i, key, expected: model.get(key), seen: held(adapter.get(key)) })
      }
      await Promise.all(writes)
      for (const { i, key, expected, seen } of reads) {
        const value = await seen
        const right = sameBytes(value, expected === undefined ? undefined : bytes(expected))
        expectTrue(
          right,
          `1 000 calls of one turn, number ${i}: get('${key}')`,
          String(expected),
          show(value),
        )
      }
      for (const key of keys) {
        const expected = model.get(key)
        if (expected === undefined) await expectMiss(adapter, key, '1 000 calls of one turn')
        else await expectHit(adapter, key, bytes(expected), '1 000 calls of one turn')
      }
    },
  ),
]
