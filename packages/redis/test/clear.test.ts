import { expect, test } from 'vitest'
import { bytes, newPrefix, openAdapter, openClient, readable, text } from './support/adapters.js'
import { allUnder } from './support/look-inside.mjs'

const V = bytes('v')

test.each([
  ['a[1]:', 'a1:'],
  ['a?p', 'abp'],
  ['a*', 'ab'],
  ['a\\', 'a'],
  ['a\\*', 'a\\b'],
  ['[^a]', 'b'],
  ['a{b}', 'a{b'],
  ['a{}', 'a'],
  ['{', '{}'],
  ['a%7B', 'a{'],
  ['%', '%25'],
  ['é', 'e'],
  ['a', 'a{0}ka'],
])('clear() with the prefix %j clears it, and spares %j', async (mine, others) => {
  const base = newPrefix()
  const [one, other] = [
    openAdapter({ prefix: base + mine }),
    openAdapter({ prefix: base + others }),
  ]
  const keys = Array.from({ length: 130 }, (_, i) => `k${i}`)
  for (const adapter of [one, other])
    await Promise.all(keys.map((key, i) => adapter.set(key, V, { tags: i % 2 ? ['t'] : [] })))
  await one.clear()
  expect(await readable(one, keys)).toEqual([])
  expect(await readable(other, keys)).toEqual(keys)
  expect(await allUnder(openClient(), base + mine)).toEqual([])
  await one.set('k', V, { tags: ['t'] })
  await other.deleteByTag('t')
  expect(text(await one.get('k'))).toBe('v')
  await Promise.all([one.clear(), other.clear()])
})

test('clear() leaves what others keep in the same Redis, also what looks almost like ours', async () => {
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ prefix }), openClient()]
  const strangers = ['', '{64}kx', '{07}kx', '{x}kx', '{1}fx', '{1}q', '{1}', 'kx'].map(
    end => `${prefix}${end}`,
  )
  for (const name of strangers) await raw.set(name, 'mine')
  await adapter.set('k', V, { tags: ['t'] })
  await adapter.clear()
  expect(await adapter.get('k')).toBeUndefined()
  expect(await raw.mget(strangers)).toEqual(strangers.map(() => 'mine'))
  await raw.del(strangers)
})

test('keys and tags that are spelled like bookkeeping are names like others', async () => {
  const prefix = newPrefix()
  const [adapter, raw] = [openAdapter({ prefix }), openClient()]
  await adapter.set('other', V, { tags: ['t'] })
  const names = [
    ...(await allUnder(raw, prefix)),
    'f',
    'x',
    'k',
    '{0}f',
    '{0}x',
    '}x',
    'tag:t',
    'r:t',
  ]
  await Promise.all(names.map(name => adapter.set(name, bytes(name), { tags: [name, 't'] })))
  for (const name of names) expect(text(await adapter.get(name))).toBe(name)
  for (const name of names) {
    await adapter.deleteByTag(name)
    expect(await adapter.get(name)).toBeUndefined()
  }
  expect(text(await adapter.get('other'))).toBe('v')
  await adapter.deleteByTag('t')
  expect(await adapter.get('other')).toBeUndefined()
})

test('clear() removes drafts of large values, whose set is then done all the same', async () => {
  const prefix = newPrefix()
  const [one, other, raw] = [openAdapter({ prefix }), openAdapter({ prefix }), openClient()]
  const value = new Uint8Array(20_000).fill(3)
  for (let round = 0; round < 20; round++) {
    const sets = Array.from({ length: 10 }, (_, i) => one.set(`k${i}`, value, { tags: ['t'] }))
    await Promise.all([other.clear(), ...sets])
  }
  await one.set('k', value, { tags: ['t'] })
  expect(await other.get('k')).toEqual(value)
  expect((await allUnder(raw, prefix)).filter(name => /\{\d+\}d/.test(name))).toEqual([])
})
