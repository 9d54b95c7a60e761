import { expect, test } from 'vitest'
import { BUCKETS, bucketOf, Keyspace } from './redis-keys.js'

const PREFIXES = [
  '',
  'a',
  'a:',
  'a{',
  'a{}',
  'a{0}',
  'a{0}k',
  'a%7B',
  '%',
  '%25',
  '{',
  '}',
  '{}{',
  'é*?[a]\\',
]
const KEYS = ['', 'k', '{0}k', '}', '{', 'f', 'x', '%7B', 'é', '\0', '😀']

test('no two pairs of prefix and key have one name, in any bucket', () => {
  const names = PREFIXES.flatMap(prefix => {
    const keys = new Keyspace(prefix)
    const others = Array.from({ length: BUCKETS }, (_, bucket) => [
      keys.fence(bucket),
      keys.index(bucket),
      keys.draft(bucket, '1abc'),
    ])
    return [keys.probe(0), ...others.flat(), ...KEYS.map(key => keys.record(bucketOf(key), key))]
  })
  expect(new Set(names).size).toBe(names.length)
})

test('the first braces of a name are those of the bucket, which decide the slot', () => {
  for (const prefix of PREFIXES) {
    const keys = new Keyspace(prefix)
    for (const name of [keys.record(7, '{x}'), keys.fence(7), keys.index(7), keys.draft(7, '1a')])
      expect(/\{(.*?)\}/.exec(name)?.[1]).toBe('7')
  }
})

test('a name is ours as a whole or not at all', () => {
  const keys = new Keyspace('a{*')
  for (const name of [
    keys.record(3, ''),
    keys.record(3, 'k'),
    keys.fence(3),
    keys.index(3),
    keys.draft(3, '1'),
  ])
    expect(keys.bucketOfName(name)).toBe(3)
  for (const end of ['', '{', '{3}', '{3}fx', '{3}y', '{64}k', '{03}k', '{-1}k', '{3k', 'x{3}k'])
    expect(keys.bucketOfName(`a%7B*${end}`)).toBeUndefined()
  for (const other of ['', 'a', 'a{', 'a%7B', 'b'])
    expect(new Keyspace(other).bucketOfName(keys.record(3, 'k'))).toBeUndefined()
})

test('the pattern has no character that SCAN would take for more than itself', () => {
  expect(new Keyspace('a*b?c[d]e\\').pattern).toBe('a\\*b\\?c\\[d\\]e\\\\{*')
  expect(new Keyspace('a{b}').pattern).toBe('a%7Bb%7D{*')
})

test('where the key begins is counted in bytes, from 1', () => {
  expect(new Keyspace('é😀').keyStart(12)).toBe(String(2 + 4 + '{12}k'.length + 1))
})

test('buckets of keys never change: stored data depends on them', () => {
  expect(['', 'a', 'user:1', 'é', '😀', 'x'.repeat(10_000)].map(bucketOf)).toMatchInlineSnapshot(`
    [
      61,
      16,
      18,
      62,
      16,
      5,
    ]
  `)
})

test.each([
  (i: number) => `k${i}`,
  (i: number) => `user:${i * 64}`,
  (i: number) => `${i}`.padStart(20, '0'),
])('buckets are about equally full %#', keyOf => {
  const buckets = Array.from({ length: 64_000 }, (_, i) => bucketOf(keyOf(i)))
  const counts = Array.from(
    { length: BUCKETS },
    (_, at) => buckets.filter(one => one === at).length,
  )
  expect(Math.min(...counts)).toBeGreaterThan(700)
  expect(Math.max(...counts)).toBeLessThan(1_300)
})
