import { ConformanceError, expectHit, expectMiss, expectTrue, sameBytes, show } from '../check.js'
import { bytes, type Context } from '../context.js'
import { type Definition, must } from '../define.js'
import { History } from '../history.js'
import type { ClosableAdapter } from '../types.js'

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f']
const TAGS = ['t', 'u', 'v', 'w']

const someTags = ({ random }: Context): string[] => TAGS.filter(() => random.int(3) === 0)

/** One random call, recorded. Mostly sets and gets: what is never filled is never wrong. */
function randomCall(context: Context, history: History, adapter: ClosableAdapter): Promise<void> {
  const { random } = context
  const choice = random.int(100)
  if (choice < 40) return history.set(adapter, random.pick(KEYS), someTags(context))
  if (choice < 80) return history.get(adapter, random.pick(KEYS))
  if (choice < 88) return history.delete(adapter, random.pick(KEYS))
  if (choice < 98) return history.deleteByTag(adapter, random.pick(TAGS))
  return history.clear(adapter)
}

const openThree = (context: Context): Promise<ClosableAdapter[]> =>
  Promise.all([context.open(), context.open(), context.open()])

/** Every entry that can be read can be removed by each of its tags: checked by removing it. */
async function expectNoOrphans(
  context: Context,
  history: History,
  adapter: ClosableAdapter,
): Promise<void> {
  for (const key of KEYS) {
    const seen = await adapter.get(key)
    if (seen === undefined) continue
    const tags = history.tagsOf(seen)
    if (tags === undefined)
      throw new ConformanceError(
        `concurrent calls, get('${key}')`,
        'a value that was set',
        show(seen),
      )
    if (tags.length === 0) continue
    const tag = context.random.pick(tags)
    await adapter.deleteByTag(tag)
    await expectMiss(
      adapter,
      key,
      `concurrent calls, then deleteByTag('${tag}') of an entry with [${tags}]`,
    )
  }
}

export const concurrency: readonly Definition[] = [
  must(
    'concurrency.two-writers',
    'No orphans',
    'give the winner of two concurrent sets its own tags',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      for (let i = 0; i < 60; i++) {
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
    'leave an entry re-tagged during deleteByTag whole or gone',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      for (let i = 0; i < 60; i++) {
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
    'leave an entry set during a delete whole or gone',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      for (let i = 0; i < 60; i++) {
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
    'concurrency.deleteByTag-ends',
    'Big work in slices',
    'finish deleteByTag while others keep setting the tag',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      const keys = Array.from({ length: 2_000 }, (_, i) => `k${i}`)
      await Promise.all(keys.map(key => one.set(key, bytes('before'), { tags: ['t'] })))
      let ended = false
      const setting = (async () => {
        for (let i = 0; !ended; i++) {
          await other.set(`more ${i}`, bytes('during'), { tags: ['t'] })
          if (i % 20 === 0) await new Promise(resolve => setImmediate(resolve))
        }
      })()
      try {
        await one.deleteByTag('t')
      } finally {
        ended = true
        await setting
      }
      for (const key of keys)
        await expectMiss(one, key, 'deleteByTag while another handle sets the tag')
    },
  ),

  must(
    'concurrency.random-sequence',
    'Order',
    'agree with a model in a random sequence of calls',
    async context => {
      const handles = await openThree(context)
      const model = new Map<string, { value: Uint8Array; tags: readonly string[] }>()
      for (let i = 0; i < 600; i++) {
        const adapter = context.random.pick(handles)
        const key = context.random.pick(KEYS)
        const choice = context.random.int(10)
        if (choice < 5) {
          const entry = { value: bytes(`${i}`), tags: someTags(context) }
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
        for (const one of KEYS) {
          const expected = model.get(one)?.value
          const seen = await context.random.pick(handles).get(one)
          expectTrue(
            sameBytes(seen, expected),
            `${i + 1} random calls, get('${one}')`,
            show(expected),
            show(seen),
          )
        }
      }
    },
  ),

  must(
    'concurrency.no-stale-reads',
    'Order',
    'never give a value after its invalidation was acknowledged',
    async context => {
      const handles = await openThree(context)
      const history = new History()
      const client = async (adapter: ClosableAdapter): Promise<void> => {
        for (let i = 0; i < 250; i++) await randomCall(context, history, adapter)
      }
      await Promise.all(handles.flatMap(adapter => [client(adapter), client(adapter)]))
      history.check()
    },
  ),

  must(
    'concurrency.no-orphans',
    'No orphans',
    'let each of its tags remove any entry left by concurrent calls',
    async context => {
      const handles = await openThree(context)
      for (let round = 0; round < 25; round++) {
        const history = new History()
        const client = async (adapter: ClosableAdapter): Promise<void> => {
          for (let i = 0; i < 12; i++) await randomCall(context, history, adapter)
        }
        await Promise.all(handles.flatMap(adapter => [client(adapter), client(adapter)]))
        await expectNoOrphans(context, history, context.random.pick(handles))
        await handles[0]?.clear()
      }
    },
  ),
]
