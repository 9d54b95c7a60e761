import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { ownPostgres } from './support/own-postgres.js'
import { type OwnSchema, ownSchema, session } from './support/own-schema.js'
import { entryTable } from './support/tables.js'
import { bytes, text } from './support/text.js'

const V = bytes('v')

const server = ownPostgres()
let own: OwnSchema
beforeEach(async () => {
  own = await ownSchema(server.url)
})

test.each([
  ['NUL', '\0'],
  ['NUL in the middle', 'a\0b'],
  ['300 characters', 'x'.repeat(300)],
  // More than a row of a btree holds, 2 704 bytes, whatever compression makes of it.
  ['5 000 random characters', randomBytes(2_500).toString('hex')],
  // 64 KiB are the most, with what the test puts behind it.
  ['65 535 random characters', randomBytes(32_768).toString('hex').slice(1)],
  ['quotes', `'"; DROP TABLE l2_entry; --`],
  ['what looks like an array', '{a,"b",NULL}'],
  ['what looks like bytea', '\\x00\\001'],
  ['what looks like a parameter', '$1'],
  ['no Unicode that is assigned', '\u{10ffff}\uffff\u0378'],
])('hazards 1 to 3: a key, tag and prefix of %s', async (_, name) => {
  const adapter = own.open({ prefix: `${name}:` })
  const beside = own.open({ prefix: `${name}` })
  await adapter.set(name, V, { tags: [name] })
  await adapter.set(`${name}.`, V, { tags: [`${name}.`] })
  await beside.set(name, V, { tags: [name] })
  expect(await Promise.all([adapter.get(name), adapter.get(`${name}.`)])).toEqual([V, V])
  await adapter.deleteByTag(name)
  expect(await adapter.get(name)).toBeUndefined()
  expect(await adapter.get(`${name}.`)).toEqual(V)
  await adapter.clear()
  expect(await adapter.get(`${name}.`)).toBeUndefined()
  expect(await beside.get(name)).toEqual(V)
  await beside.delete(name)
  expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
})

test('hazard 4: lone surrogates are refused, so none is another one or U+FFFD', async () => {
  const adapter = own.open()
  await adapter.set('\ufffd', V, { tags: ['\ufffd'] })
  for (const lone of ['\ud800', '\ud801', 'a\udc00']) {
    await expect(adapter.set(lone, V)).rejects.toThrow(TypeError)
    await expect(adapter.set('k', V, { tags: [lone] })).rejects.toThrow(TypeError)
    await expect(adapter.get(lone)).rejects.toThrow(TypeError)
    await expect(adapter.delete(lone)).rejects.toThrow(TypeError)
    await expect(adapter.deleteByTag(lone)).rejects.toThrow(TypeError)
    expect(() => own.open({ prefix: lone })).toThrow(TypeError)
  }
  expect(await own.rows()).toEqual({ entry: 1, tag: 1 })
})

const values: [string, Uint8Array][] = [
  ['00, FF and 80', new Uint8Array([0x00, 0xff, 0x80])],
  ['each byte twice', new Uint8Array(512).map((_, at) => at)],
  ['text of bytea, hex', bytes('\\x6162')],
  ['text of bytea, escape', bytes('\\\\\\000\\101')],
  ['4 MiB, random', randomBytes(4 << 20)],
  ['none (hazard 6)', new Uint8Array()],
]

test.each(values)('hazard 5: a value of bytes %s', async (_, value) => {
  const adapter = own.open()
  await adapter.set('k', value, { tags: ['t'] })
  const got = await adapter.get('k')
  expect(Buffer.compare(got as Uint8Array, value)).toBe(0)
})

test('hazard 5: values of all kinds in one statement', async () => {
  const adapter = own.open()
  for (let round = 0; round < 3; round++) {
    await Promise.all(values.map(([key, value]) => adapter.set(key, value)))
    const got = await Promise.all(values.map(([key]) => adapter.get(key)))
    got.forEach((one, at) => {
      expect(Buffer.compare(one as Uint8Array, values[at]?.[1] as Uint8Array)).toBe(0)
    })
  }
})

test.each([
  ['a_b', 'axb'],
  ['a%', 'ab'],
  ['a', 'ab'],
  ['', 'ab'],
  ['a\\_', 'a_'],
  ['A', 'a'],
  ['a*', 'ab'],
  ['(a|b)', 'a'],
  ['app', 'app2'],
  ['app:', 'app:2:'],
  ['\u00e9', 'e\u0301'],
])('hazards 7 and 8: what is under %j leaves what is under %j', async (prefix, other) => {
  const adapter = own.open({ prefix })
  const beside = own.open({ prefix: other })
  // Names by which one would be taken for the other, if prefix and name were just put together.
  const names = ['', 'k', other, other.slice(prefix.length), `2:k`]
  for (const name of names) {
    await adapter.set(name, V, { tags: ['t', name] })
    await beside.set(name, bytes('w'), { tags: ['t', name] })
  }
  const left = () => Promise.all(names.map(async name => text(await beside.get(name))))
  for (const name of names) await adapter.deleteByTag(name)
  expect(await left()).toEqual(names.map(() => 'w'))
  for (const name of names) expect(await adapter.get(name)).toBeUndefined()
  await adapter.set('k', V, { tags: ['t'] })
  await adapter.deleteByTag('t')
  await adapter.set('k', V, { tags: ['t'] })
  if (prefix !== '') await adapter.clear()
  expect(await left()).toEqual(names.map(() => 'w'))
  await beside.deleteByTag('t')
  expect(await left()).toEqual(names.map(() => undefined))
})

test('hazard 8: prefixes whose hashes begin alike, as rows are found by, share nothing', async () => {
  // As the adapter does it: 4 bytes of SHA-256, so of 200 000 some are equal.
  const seen = new Map<string, string>()
  let [prefix, other] = ['', '']
  for (let i = 0; prefix === '' && i < 2_000_000; i++) {
    const one = `prefix ${i}`
    const hash = createHash('sha256')
      .update(one)
      .update(new Uint8Array([0xff]))
      .digest('hex')
    other = seen.get(hash.slice(0, 8)) ?? ''
    if (other !== '') prefix = one
    seen.set(hash.slice(0, 8), one)
  }
  const [adapter, beside] = [own.open({ prefix }), own.open({ prefix: other })]
  const keys = Array.from({ length: 50 }, (_, i) => `k${i}`)
  for (const [one, value] of [
    [adapter, '1'],
    [beside, '2'],
  ] as const)
    await Promise.all(keys.map(key => one.set(key, bytes(value), { tags: ['t'] })))
  const raw = await session(server.url)
  const { rows } = await raw.query(
    `SELECT count(DISTINCT substring(h FOR 4))::int AS prefixes FROM ${entryTable(own.schema)}`,
  )
  expect(rows).toEqual([{ prefixes: 1 }])
  await adapter.deleteByTag('t')
  await adapter.set('k0', V)
  await adapter.clear()
  const left = await Promise.all(keys.map(async key => text(await beside.get(key))))
  expect(left).toEqual(keys.map(() => '2'))
  expect(await own.rows()).toEqual({ entry: 50, tag: 50 })
})

test('the tags of a set are one set: order and duplicates do not matter', async () => {
  const adapter = own.open()
  await adapter.set('k', V, { tags: ['b', 'a', 'b'] })
  expect(await own.rows()).toEqual({ entry: 1, tag: 2 })
  await adapter.set('k', V, { tags: ['a', 'b', 'a', 'a'] })
  expect(await own.rows()).toEqual({ entry: 1, tag: 2 })
  await adapter.deleteByTag('b')
  expect(await adapter.get('k')).toBeUndefined()
})

/** A database with defaults of its own. */
async function databaseWith(settings: readonly string[], more = ''): Promise<string> {
  const raw = await session(server.url)
  const name = `db_${randomUUID().slice(0, 8)}`
  await raw.query(`CREATE DATABASE ${name} ${more}`)
  for (const setting of settings) await raw.query(`ALTER DATABASE ${name} SET ${setting}`)
  const url = new URL(server.url)
  url.pathname = `/${name}`
  return url.href
}

test.each(['LATIN1', 'SQL_ASCII'])('a database in %s', async encoding => {
  const url = await databaseWith([], `ENCODING '${encoding}' TEMPLATE template0`)
  const adapter = (await ownSchema(url)).open({ prefix: '\u20ac' })
  await adapter.set('\u20ac \u{1f600}', V, { tags: ['\u4e2d'] })
  expect(await adapter.get('\u20ac \u{1f600}')).toEqual(V)
  await adapter.deleteByTag('\u4e2d')
  expect(await adapter.get('\u20ac \u{1f600}')).toBeUndefined()
})

test.each([
  ['bytea_output=escape'],
  ['standard_conforming_strings=off', 'escape_string_warning=on', 'backslash_quote=off'],
  ["DateStyle='SQL, DMY'", 'IntervalStyle=sql_standard', "TimeZone='Asia/Kathmandu'"],
  ['extra_float_digits=-15', 'array_nulls=off', 'plan_cache_mode=force_generic_plan'],
  ['search_path=nowhere', 'row_security=off', 'check_function_bodies=off'],
])('hazard 40: a database with %s', async (...settings) => {
  const own = await ownSchema(await databaseWith(settings))
  const [one, other] = [own.open(), own.open()]
  const value = new Uint8Array(512).map((_, at) => at)
  const keys = Array.from({ length: 100 }, (_, at) => `k${at}`)
  for (let round = 0; round < 5; round++) {
    // At the same keys at once: a transaction that sees what another has changed must do without.
    const tags = ['t', `t${round}`]
    await Promise.all(
      [one, other].flatMap(adapter =>
        keys.map(key => adapter.set(key, value, { ttl: 3_600_000, tags })),
      ),
    )
    await Promise.all([
      one.deleteByTag(`t${round - 1}`),
      other.sweep(),
      ...keys.map(key => one.get(key)),
    ])
    expect(await Promise.all(keys.map(key => other.get(key)))).toEqual(keys.map(() => value))
  }
  await Promise.all([one.deleteByTag('t'), other.deleteByTag('t')])
  expect(await Promise.all(keys.map(key => other.get(key)))).toEqual(keys.map(() => undefined))
  await one.set('k', value, { ttl: 50, tags: ['t'] })
  expect(await other.get('k')).toEqual(value)
  await expect.poll(() => other.get('k')).toBeUndefined()
  await other.sweep()
  expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
})

test.each(['serializable', 'repeatable read'])(
  'a database whose transactions are %s by default is refused with what helps',
  async isolation => {
    const url = await databaseWith([`default_transaction_isolation = '${isolation}'`])
    const adapter = (await ownSchema(url)).open()
    for (const call of [adapter.ping(), adapter.get('k'), adapter.set('k', V)])
      await expect(call).rejects.toMatchObject({
        code: 'L2_UNSUITABLE_BACKEND',
        message: expect.stringContaining(isolation),
      })
  },
)
