import type { Adapter } from '../../adapter.js'
import { expectHit, expectMiss, expectRejection, show } from '../check.js'
import { bytes } from '../context.js'
import { type Definition, must } from '../define.js'

/** The calls as JavaScript sees them: types do not hold callers back there. */
// biome-ignore lint/suspicious/noExplicitAny: wrong arguments are the subject here
type Untyped = Record<keyof Adapter, (...args: any[]) => Promise<unknown>>

const untyped = (adapter: Adapter): Untyped => adapter as unknown as Untyped

const LONE_SURROGATES = ['\ud800', '\udc00', 'a\ud83d', '\ude00b', '\ude00\ud83d']
const TOO_LONG = ['x'.repeat(65_537), '€'.repeat(21_846), '😀'.repeat(16_385)]
const NO_STRINGS: readonly unknown[] = [
  undefined,
  null,
  1,
  true,
  {},
  [],
  ['a'],
  Symbol('s'),
  () => 'a',
  bytes('a'),
]

/** Each name is refused as a key by every operation, and as a tag. */
const badNames = (id: string, holds: string, names: readonly unknown[]): Definition =>
  must(`misuse.${id}`, 'Keys and tags', 'get set delete deleteByTag', holds, async context => {
    const adapter = untyped(await context.open())
    const calls: Record<string, (name: unknown) => Promise<unknown>> = {
      'get(name)': name => adapter.get(name),
      'set(name, v)': name => adapter.set(name, bytes('v')),
      'delete(name)': name => adapter.delete(name),
      'deleteByTag(name)': name => adapter.deleteByTag(name),
      'set(k, v, { tags: [name] })': name => adapter.set('k', bytes('v'), { tags: [name] }),
      "set(k, v, { tags: ['a', name] })": name =>
        adapter.set('k', bytes('v'), { tags: ['a', name] }),
    }
    for (const [done, call] of Object.entries(calls)) {
      for (const name of names) {
        const shown =
          typeof name === 'string' && name.length > 40 ? `${name.length} characters` : show(name)
        await expectRejection(() => call(name), { error: 'TypeError' }, `${done} with ${shown}`)
      }
    }
  })

/** Options of `set` that are refused, and leave the entry before them as it was. */
const badOptions = (
  id: string,
  rule: string,
  holds: string,
  error: 'TypeError' | 'RangeError',
  options: readonly unknown[],
): Definition =>
  must(
    `misuse.${id}`,
    rule,
    'set',
    holds,
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('before'), { tags: ['t'] })
      for (const option of options) {
        const done = `set(k, v, ${typeof option === 'object' ? JSON.stringify(option, shownNumber) : show(option)})`
        await expectRejection(() => untyped(adapter).set('k', bytes('v'), option), { error }, done)
        await expectRejection(
          () => untyped(adapter).set('new', bytes('v'), option),
          { error },
          done,
        )
        await expectHit(adapter, 'k', bytes('before'), `${done}, refused`)
        await expectMiss(adapter, 'new', `${done}, refused`)
      }
      await adapter.deleteByTag('t')
      await expectMiss(adapter, 'k', 'refused sets, deleteByTag of the tag before them')
    },
    ['tags'],
  )

const shownNumber = (_: string, value: unknown): unknown =>
  typeof value === 'number' ? String(value) : value

export const misuse: readonly Definition[] = [
  badNames('lone-surrogates', 'refuse lone surrogates with a TypeError', LONE_SURROGATES),
  badNames('long-names', 'refuse names over 64 KiB of UTF-8 with a TypeError', TOO_LONG),
  badNames('no-strings', 'refuse names that are no strings with a TypeError', NO_STRINGS),

  must(
    'misuse.surrogates-never-collide',
    'Keys and tags',
    'get set',
    'never take two lone surrogates for one name',
    async context => {
      const adapter = await context.open()
      await adapter.set('\ufffd', bytes('replacement'))
      for (const key of LONE_SURROGATES) await adapter.set(key, bytes('lone')).catch(() => {})
      await expectHit(adapter, '\ufffd', bytes('replacement'), 'lone surrogates set under U+FFFD')
    },
  ),

  must(
    'misuse.value',
    'Misuse',
    'set',
    'refuse values that are no Uint8Array with a TypeError',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('before'))
      for (const value of [
        undefined,
        null,
        'text',
        1,
        {},
        [1, 2],
        new ArrayBuffer(2),
        new Uint16Array(2),
        new DataView(new ArrayBuffer(2)),
      ]) {
        const done = `set(k, ${show(value)})`
        await expectRejection(() => untyped(adapter).set('k', value), { error: 'TypeError' }, done)
        await expectHit(adapter, 'k', bytes('before'), `${done}, refused`)
      }
    },
  ),

  badOptions(
    'ttl-range',
    'Expiry',
    'refuse a ttl that is negative or not finite with a RangeError',
    'RangeError',
    [
      { ttl: -1 },
      { ttl: -0.5 },
      { ttl: Number.NaN },
      { ttl: Number.POSITIVE_INFINITY },
      { ttl: Number.NEGATIVE_INFINITY },
      { ttl: 2 ** 53 },
      { ttl: Number.MAX_VALUE },
    ],
  ),
  badOptions('ttl-type', 'Misuse', 'refuse a ttl that is no number with a TypeError', 'TypeError', [
    { ttl: '1000' },
    { ttl: null },
    { ttl: true },
    { ttl: {} },
    { ttl: [5] },
  ]),
  badOptions(
    'tags-type',
    'Misuse',
    'refuse tags that are no array of strings with a TypeError',
    'TypeError',
    [
      { tags: 't' },
      { tags: null },
      { tags: {} },
      { tags: [null] },
      { tags: [['t']] },
      { tags: ['t', 1] },
      { tags: new Array(1) },
    ],
  ),
  badOptions(
    'signal-type',
    'Misuse',
    'refuse a signal that is none with a TypeError',
    'TypeError',
    [{ signal: null }, { signal: {} }, { signal: 'abort' }, { signal: { aborted: true } }],
  ),
  badOptions(
    'options-type',
    'Misuse',
    'refuse options that are no object with a TypeError',
    'TypeError',
    [null, 5, 'ttl', true],
  ),

  must(
    'misuse.every-operation',
    'Misuse',
    'get delete deleteByTag clear ping',
    'refuse a bad signal in every operation with a TypeError',
    async context => {
      const adapter = untyped(await context.open())
      const options = { signal: 'none' }
      const calls: Record<string, () => Promise<unknown>> = {
        get: () => adapter.get('k', options),
        delete: () => adapter.delete('k', options),
        deleteByTag: () => adapter.deleteByTag('t', options),
        clear: () => adapter.clear(options),
        ping: () => adapter.ping(options),
      }
      for (const [name, call] of Object.entries(calls))
        await expectRejection(call, { error: 'TypeError' }, `${name} with { signal: 'none' }`)
    },
  ),

  must(
    'misuse.options-read-at-once',
    'Misuse',
    'set',
    'not look at the options again after the call was made',
    async context => {
      const adapter = await context.open()
      const options = { ttl: 0, tags: ['right'] }
      const done = adapter.set('k', bytes('v'), options)
      options.ttl = 1
      options.tags[0] = 'wrong'
      await done
      await adapter.deleteByTag('wrong')
      await expectHit(
        adapter,
        'k',
        bytes('v'),
        "options changed after the call, deleteByTag('wrong')",
      )
      await adapter.deleteByTag('right')
      await expectMiss(adapter, 'k', "options changed after the call, deleteByTag('right')")
    },
    ['tags'],
  ),
]
