import { expectHit, expectMiss, expectMisses, expectRejection } from '../check.js'
import { bytes, type Context } from '../context.js'
import { type Definition, must } from '../define.js'

/**
 * Fills both namespaces with the same keys and tags, removes everything from the first in three
 * ways, and looks at the second.
 */
async function keepOut(context: Context, one: string, other: string): Promise<void> {
  const [a, b] = [await context.open(one), await context.open(other)]
  for (const key of ['k', 'tagged', 'deleted']) {
    await a.set(key, bytes('a'), { tags: ['t'] })
    await b.set(key, bytes('b'), { tags: ['t'] })
    await expectHit(a, key, bytes('a'), `the same key under ${show(one)} and ${show(other)}`)
  }
  const done = (call: string): string =>
    `${call} under prefix …${show(one)}, get under …${show(other)}`
  await a.delete('deleted')
  await expectHit(b, 'deleted', bytes('b'), done('delete'))
  await a.deleteByTag('t')
  await expectHit(b, 'tagged', bytes('b'), done('deleteByTag'))
  await a.set('k', bytes('a'))
  await a.clear()
  await expectMiss(a, 'k', 'clear')
  for (const key of ['k', 'tagged', 'deleted']) await expectHit(b, key, bytes('b'), done('clear'))
  await b.deleteByTag('t')
  await expectMiss(b, 'k', `deleteByTag under ${show(other)} after clear under ${show(one)}`)
}

const show = (name: string): string => JSON.stringify(name)

/** Pairs of namespaces, both ways round. */
const apart = (
  id: string,
  holds: string,
  pairs: readonly (readonly [string, string])[],
): Definition =>
  must(`isolation.${id}`, 'Isolation', 'get set delete deleteByTag clear', holds, async context => {
    for (const [one, other] of pairs) {
      await keepOut(context, one, other)
      await keepOut(context, other, one)
    }
  })

export const isolation: readonly Definition[] = [
  apart('prefixes-apart', 'keep two prefixes apart', [['one:', 'other:']]),
  apart('prefixes-contained', 'keep prefixes apart that begin alike', [
    ['app', 'app2'],
    ['app:', 'app:x:'],
    ['', 'x'],
  ]),
  apart('prefixes-like', 'take % and _ in a prefix to the letter', [
    ['a_b', 'axb'],
    ['a%', 'abc'],
    ['%', 'x'],
    ['a\\_b', 'a_b'],
  ]),
  apart('prefixes-glob', 'take *, ?, [ and ] in a prefix to the letter', [
    ['a?b', 'axb'],
    ['a*', 'abc'],
    ['a[xy]b', 'axb'],
    ['a[^x]b', 'ayb'],
    ['a\\*', 'a*'],
  ]),
  apart('prefixes-regex', 'take regular expressions in a prefix to the letter', [
    ['a.b', 'axb'],
    ['(a|b)', 'a'],
    ['^', 'x'],
    ['a+', 'aa'],
    ['a$', 'a'],
  ]),
  apart('prefixes-braces', 'take braces in a prefix to the letter', [
    ['{a}', '{a}b'],
    ['{a}', 'a'],
    ['a{1}k', 'a'],
    ['{', '}'],
  ]),
  apart('prefixes-quotes', 'take quotes, NUL and Unicode in a prefix to the letter', [
    [`'`, `''`],
    [`"`, `\\"`],
    ['a\0', 'a'],
    ['a\0b', 'a\0c'],
    ['é', 'e\u0301'],
    ['ß', 'SS'],
    ['K', 'k'],
  ]),

  must(
    'isolation.prefix-and-key',
    'Isolation',
    'get set deleteByTag',
    'tell (prefix, key) pairs apart that join to one string',
    async context => {
      const pairs = [
        ['', 'a:b:k'],
        ['a:', 'b:k'],
        ['a:b:', 'k'],
        ['a:b:k', ''],
        ['a', ':b:k'],
      ] as const
      for (const [prefix, key] of pairs)
        await (await context.open(prefix)).set(key, bytes(prefix), { tags: [key] })
      for (const [prefix, key] of pairs) {
        const adapter = await context.open(prefix)
        await expectHit(
          adapter,
          key,
          bytes(prefix),
          `prefix …'${prefix}', key '${key}', beside others of the same join`,
        )
      }
      const [first, ...others] = pairs
      await (await context.open(first[0])).deleteByTag(first[1])
      for (const [prefix, key] of others)
        await expectHit(
          await context.open(prefix),
          key,
          bytes(prefix),
          `deleteByTag('${first[1]}') under prefix …''`,
        )
    },
  ),

  must(
    'isolation.clear-takes-all',
    'Isolation',
    'clear',
    'clear every entry under the prefix, tagged or not, expired or not',
    async context => {
      const adapter = await context.open()
      const keys = Array.from({ length: 2_500 }, (_, i) => `k${i}`)
      await Promise.all(
        keys.map((key, i) =>
          adapter.set(key, bytes(key), {
            ttl: i % 2 ? 60_000 : 0,
            tags: i % 3 ? ['t', `t${i}`] : [],
          }),
        ),
      )
      await adapter.clear()
      await expectMisses(adapter, keys, 'clear of 2 500 entries')
      await adapter.set('k1', bytes('new'))
      await adapter.deleteByTag('t')
      await expectHit(
        adapter,
        'k1',
        bytes('new'),
        'clear, set without tags, deleteByTag of an old tag',
      )
    },
  ),

  must(
    'isolation.clear-needs-a-prefix',
    'Isolation',
    'clear',
    'refuse clear with L2_PREFIX_REQUIRED where the prefix is empty',
    async context => {
      const adapter = await context.openUnprefixed()
      await expectRejection(
        () => adapter.clear(),
        { code: 'L2_PREFIX_REQUIRED' },
        'clear with an empty prefix',
      )
      const badSignal = { signal: 'none' as never }
      await expectRejection(
        () => adapter.clear(badSignal),
        { error: 'TypeError' },
        'clear with an empty prefix and a bad signal',
      )
    },
    ['openUnprefixed'],
  ),
]
