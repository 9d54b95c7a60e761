import { expectHit, expectMiss } from '../check.js'
import { bytes, type Context } from '../context.js'
import { type Definition, must } from '../define.js'

/** Stores each name as a key with a value of its own and as a tag of its own; none answers for another. */
async function keepApart(context: Context, names: readonly string[]): Promise<void> {
  const adapter = await context.open()
  for (const [i, name] of names.entries())
    await adapter.set(name, bytes(`value ${i}`), { tags: [name] })
  for (const [i, name] of names.entries()) {
    await expectHit(
      adapter,
      name,
      bytes(`value ${i}`),
      `${names.length} keys set, get(${shown(name)})`,
    )
  }
  const [first, ...others] = names
  if (first === undefined) return
  await adapter.deleteByTag(first)
  await expectMiss(adapter, first, `deleteByTag(${shown(first)})`)
  for (const other of others) {
    const done = `deleteByTag(${shown(first)}), get(${shown(other)})`
    await expectHit(adapter, other, bytes(`value ${names.indexOf(other)}`), done)
  }
  const last = names.at(-1) as string
  await adapter.delete(last)
  await expectMiss(adapter, last, `delete(${shown(last)})`)
}

const shown = (name: string): string =>
  name.length > 40 ? `${name.length} characters` : JSON.stringify(name)

/** Names that must not be taken for each other. */
const apart = (id: string, holds: string, names: readonly string[]): Definition =>
  must(`keys.${id}`, 'Keys and tags', 'get set delete deleteByTag', holds, context =>
    keepApart(context, names),
  )

const LONGEST = 65_536

export const keys: readonly Definition[] = [
  apart('empty', 'take the empty string for a key and a tag', ['', ' ', '\0', 'null', 'undefined']),
  apart('nul', 'tell names with NUL apart', ['a\0b', 'a', 'a\0', 'a\0c', '\0a', 'ab']),
  apart('white-space', 'tell white space apart', [
    'a b',
    'a  b',
    ' a b',
    'a b ',
    'a\tb',
    'a\nb',
    'a\r\nb',
    'a\u00a0b',
  ]),
  apart('quotes', 'take quotes and statements to the letter', [
    `'; DROP TABLE entry; --`,
    `"`,
    `'`,
    `''`,
    '`',
    `\\'`,
    '$1',
    '?',
    ':a',
    '@a',
  ]),
  apart('wildcards', 'take wildcards to the letter', [
    'a*',
    'ab',
    'a?',
    'a%',
    'a_',
    'a[b]',
    'a.*',
    '*',
    '%',
    '_',
  ]),
  apart('braces', 'take braces to the letter', [
    '{a}',
    '{b}',
    'a{b}',
    '{}',
    '{',
    '}',
    '{a}b',
    '{a',
    'a}',
  ]),
  apart('case', 'not fold case', [
    'key',
    'KEY',
    'Key',
    'straße',
    'STRASSE',
    'ß',
    'ss',
    'i',
    'İ',
    'ı',
    'I',
  ]),
  apart('normalization', 'not normalize Unicode', [
    'é',
    'e\u0301',
    'ﬁ',
    'fi',
    'Å',
    '\u212b',
    'A\u030a',
    '가',
    '\u1100\u1161',
  ]),
  apart('beyond-the-bmp', 'tell characters beyond the BMP apart', [
    '😀',
    '😁',
    '\u{1f600}\u{200d}',
    '\u{10ffff}',
    '\uffff',
    '\ufffd',
    '\ufeff',
    '',
  ]),
  apart('numbers', 'tell numbers as text apart', [
    '1',
    '01',
    '1.0',
    '1e0',
    '+1',
    '-0',
    '0',
    '9007199254740993',
    '9007199254740992',
  ]),
  apart('trailing', 'tell trailing characters apart', [
    'a',
    'a/',
    'a//',
    'a.',
    'a..',
    './a',
    'a\\',
    'a:',
    'a::',
  ]),
  apart('object-members', 'store under the names that objects inherit', [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'length',
    'prototype',
  ]),
  apart('bookkeeping', 'store under names that look like bookkeeping', [
    'tag:a',
    'tags:a',
    't:a',
    'tags',
    'tag',
    'index',
    'meta',
    'sqlite_master',
    'entry',
    'l2:',
    'l2:a',
    '{l2}:tags',
    'a:tags',
    'a:ttl',
    'a\0tags',
    // Last: a tag of this name is indexed when keys that look like its index are there.
    'a',
  ]),

  must(
    'keys.longest',
    'Keys and tags',
    'get set delete deleteByTag',
    'take keys and tags of 64 KiB',
    async context => {
      const ascii = 'x'.repeat(LONGEST - 1)
      const wide = '€'.repeat(Math.floor(LONGEST / 3))
      await keepApart(context, [
        `${ascii}a`,
        `${ascii}b`,
        `a${ascii}`,
        wide,
        `${wide}x`,
        '😀'.repeat(LONGEST / 4),
      ])
    },
  ),

  must(
    'keys.long-tails',
    'Keys and tags',
    'get set delete deleteByTag',
    'tell long names apart by their last character',
    async context => {
      const lengths = [63, 127, 250, 255, 1_024, 2_704, 8_191]
      await keepApart(
        context,
        lengths.flatMap(n => ['a', 'b'].map(end => 'k'.repeat(n) + end)),
      )
    },
  ),

  must(
    'keys.key-is-no-tag',
    'Tags',
    'get set delete deleteByTag',
    'not take a key for a tag or a tag for a key',
    async context => {
      const adapter = await context.open()
      await adapter.set('a', bytes('1'), { tags: ['b'] })
      await adapter.set('b', bytes('2'), { tags: ['c'] })
      await expectMiss(adapter, 'c', 'a tag is no key')
      await adapter.deleteByTag('a')
      await expectHit(adapter, 'a', bytes('1'), "deleteByTag('a'), where 'a' is only a key")
      await adapter.delete('c')
      await adapter.deleteByTag('b')
      await expectMiss(adapter, 'a', "deleteByTag('b')")
      await expectHit(adapter, 'b', bytes('2'), "deleteByTag('b') where 'b' is also a key")
    },
  ),
]
