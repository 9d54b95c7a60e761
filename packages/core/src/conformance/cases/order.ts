import { expectHit, expectMiss, expectTrue, sameBytes, show } from '../check.js'
import { bytes } from '../context.js'
import { type Definition, must } from '../define.js'

export const order: readonly Definition[] = [
  must(
    'order.sets-of-one-key',
    'Order',
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
  ),

  must(
    'order.reads-between-writes',
    'Order',
    'let a get see the set made before it, awaited or not',
    async context => {
      const adapter = await context.open()
      const turns = Array.from(
        { length: 200 },
        (_, i) => [adapter.set('k', bytes(`${i}`)), adapter.get('k')] as const,
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
    'keep set and delete of one key in order, awaited or not',
    async context => {
      const adapter = await context.open()
      for (let i = 0; i < 50; i++) {
        const calls = [
          adapter.set('k', bytes('1'), { tags: ['t'] }),
          adapter.delete('k'),
          adapter.get('k'),
        ]
        const again = [
          adapter.set('k', bytes('2')),
          adapter.get('k'),
          adapter.delete('k'),
          adapter.get('k'),
        ]
        const [, , first] = await Promise.all(calls)
        const [, second, , third] = await Promise.all(again)
        expectTrue(first === undefined, 'set, delete, get in one turn', 'undefined', show(first))
        expectTrue(
          sameBytes(second as Uint8Array, bytes('2')),
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
    'let deleteByTag come after all calls made before it',
    async context => {
      const adapter = await context.open()
      const sets = Array.from({ length: 300 }, (_, i) =>
        adapter.set(`k${i}`, bytes('v'), { tags: ['t'] }),
      )
      const deleted = adapter.deleteByTag('t')
      await Promise.all([...sets, deleted])
      for (let i = 0; i < 300; i++)
        await expectMiss(adapter, `k${i}`, '300 sets and deleteByTag in one turn')
    },
  ),

  must(
    'order.clear-after-sets',
    'Order',
    'let clear come after all calls made before it',
    async context => {
      const adapter = await context.open()
      const sets = Array.from({ length: 300 }, (_, i) =>
        adapter.set(`k${i}`, bytes('v'), { tags: ['t'] }),
      )
      const cleared = adapter.clear()
      await Promise.all([...sets, cleared])
      for (let i = 0; i < 300; i++)
        await expectMiss(adapter, `k${i}`, '300 sets and clear in one turn')
    },
  ),

  must(
    'order.retag-before-deleteByTag',
    'Order',
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
]
