import { randomUUID } from 'node:crypto'
import { migrationSql } from '@l2/postgres'
import type pg from 'pg'
import { beforeEach, describe, expect, test } from 'vitest'
import { ownPostgres } from './support/own-postgres.js'
import { type OwnSchema, ownSchema, session } from './support/own-schema.js'
import { entryTable } from './support/tables.js'
import { bytes, text } from './support/text.js'

const V = bytes('v')

const server = ownPostgres()
let own: OwnSchema
let raw: pg.Client
beforeEach(async () => {
  own = await ownSchema(server.url)
  raw = await session(server.url)
})

/** Does one of everything, and sees that it worked. */
async function exercise(adapter: ReturnType<OwnSchema['open']>): Promise<void> {
  await adapter.ping()
  await adapter.set('k', V, { tags: ['t'], ttl: 60_000 })
  await adapter.set('k', bytes('w'), { tags: ['t', 'u'] })
  await adapter.set('l', V)
  expect(text(await adapter.get('k'))).toBe('w')
  await adapter.delete('l')
  await adapter.deleteByTag('u')
  expect(await adapter.get('k')).toBeUndefined()
  await adapter.sweep()
  await adapter.set('k', V, { tags: ['t'] })
  await adapter.clear()
  expect(await adapter.get('k')).toBeUndefined()
}

describe('hazard 38: names', () => {
  test.each([
    ['schema', 's'.repeat(64)],
    ['schema', '\u00e9'.repeat(32)],
    ['tablePrefix', 'p'.repeat(64)],
    ['tablePrefix', 'p'.repeat(63)],
    ['tablePrefix', '\u{1f600}'.repeat(16)],
  ])('a %s of more bytes than a name has is refused, not cut: %s', (option, name) => {
    expect(() => own.open({ [option]: name })).toThrow(RangeError)
    expect(() => own.open({ [option]: name })).toThrow(/63/)
    expect(() => migrationSql({ [option]: name })).toThrow(RangeError)
  })

  test.each([
    ['schema', ''],
    ['schema', 'a\0b'],
    ['schema', '\ud800'],
    ['tablePrefix', 'a\0b'],
    ['tablePrefix', 5],
    ['schema', null],
    ['migrate', 'always'],
    ['migrate', true],
    ['logged', 'yes'],
  ])('%s: %j is misuse', (option, value) => {
    expect(() => own.open({ [option]: value } as object)).toThrow(TypeError)
  })

  test.each([
    's'.repeat(63),
    '\u00e9'.repeat(31),
    'we"ird',
    'UPPER case',
    `'; DROP SCHEMA public; --`,
    '%s $1 ? :name',
    'select',
    '.',
    '\u{1f600}\n\t\\',
  ])('a schema may be called %j', async name => {
    const schema = name.length > 20 ? name : `${name}${randomUUID().slice(0, 8)}`
    const place = await ownSchema(server.url, schema)
    const [one, other] = [place.open(), place.open()]
    await exercise(one)
    await exercise(other)
    expect(await place.rows()).toEqual({ entry: 0, tag: 0 })
  })

  test.each(['p'.repeat(40), 'we"ird', 'UPPER ', `'; --`, '%s $1', '\u{1f600}'])(
    'tables may begin with %j',
    async tablePrefix => {
      const [one, other] = [own.open({ tablePrefix }), own.open({ tablePrefix, migrate: 'check' })]
      await exercise(one)
      await exercise(other)
      const { rows } = await raw.query(
        'SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = $2',
        [`"${own.schema}"`, 'r'],
      )
      expect(rows.length).toBeGreaterThanOrEqual(2)
      for (const { relname } of rows) expect(relname.startsWith(tablePrefix)).toBe(true)
    },
  )

  test('indexes of prefixes that are long and alike are each table\u2019s own', async () => {
    // Names of indexes and constraints are longer than those of tables: they must not meet when cut.
    const [a, b] = ['a', 'b'].map(end => `${'p'.repeat(40)}${end}`)
    await exercise(own.open({ tablePrefix: a }))
    await exercise(own.open({ tablePrefix: b }))
    const { rows } = await raw.query(
      `SELECT tablename, indexname FROM pg_indexes WHERE schemaname = $1 ORDER BY 1, 2`,
      [own.schema],
    )
    const of = (end: string | undefined) => rows.filter(row => row.tablename.startsWith(end))
    expect(of(a)).toHaveLength(of(b).length)
    expect(of(a).length).toBeGreaterThan(0)
  })
})

describe('side by side', () => {
  test('two schemas share nothing, whatever prefix', async () => {
    const place = await ownSchema(server.url)
    const [one, other] = [own.open(), place.open()]
    for (const [adapter, value] of [
      [one, '1'],
      [other, '2'],
    ] as const)
      await Promise.all(
        Array.from({ length: 50 }, (_, i) => adapter.set(`k${i}`, bytes(value), { tags: ['t'] })),
      )
    // At the same time, over and over, so that a statement of one on the other's tables would show.
    for (let round = 0; round < 20; round++) {
      const got = await Promise.all([
        one.get('k7'),
        other.get('k7'),
        one.get('k8'),
        other.get('k8'),
      ])
      expect(got.map(text)).toEqual(['1', '2', '1', '2'])
    }
    await one.deleteByTag('t')
    expect(text(await other.get('k7'))).toBe('2')
    await one.set('k7', V)
    await one.clear()
    await one.sweep()
    expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
    expect(await place.rows()).toEqual({ entry: 50, tag: 50 })
  })

  test('two table prefixes in one schema share nothing', async () => {
    const [one, other] = [own.open({ tablePrefix: 'a_' }), own.open({ tablePrefix: 'a_b_' })]
    await one.set('k', bytes('1'), { tags: ['t'] })
    await other.set('k', bytes('2'), { tags: ['t'] })
    await one.deleteByTag('t')
    expect(text(await other.get('k'))).toBe('2')
    await one.clear()
    expect(text(await other.get('k'))).toBe('2')
    await other.clear()
    expect(await other.get('k')).toBeUndefined()
  })

  test('a table of the same name that comes earlier in the search path is not touched', async () => {
    const decoy = `decoy_${randomUUID().slice(0, 8)}`
    await raw.query(`CREATE SCHEMA ${decoy}; CREATE TABLE ${decoy}.l2_entries (decoy int)`)
    const url = new URL(server.url)
    url.searchParams.set('options', `-c search_path=${decoy}`)
    await exercise(own.open({ url: url.href }))
    expect((await raw.query(`SELECT * FROM ${decoy}.l2_entries`)).rowCount).toBe(0)
  })
})

describe('who makes the tables', () => {
  const tables = async () =>
    (await raw.query('SELECT FROM pg_tables WHERE schemaname = $1', [own.schema])).rowCount

  test("migrate: 'check' makes nothing, and says what to do", async () => {
    const adapter = own.open({ migrate: 'check' })
    for (const call of [
      () => adapter.ping(),
      () => adapter.get('k'),
      () => adapter.set('k', V, { tags: ['t'] }),
      () => adapter.deleteByTag('t'),
      () => adapter.sweep(),
    ])
      await expect(call()).rejects.toMatchObject({
        code: 'L2_SCHEMA_MISMATCH',
        message: expect.stringMatching(/migrat/i),
      })
    expect(await tables()).toBe(0)
    // Nobody has to make a new adapter once the tables are there.
    await raw.query(migrationSql({ schema: own.schema }))
    await exercise(adapter)
  })

  test("migrate: 'off' looks at nothing, and fails typed where there are no tables", async () => {
    const adapter = own.open({ migrate: 'off' })
    await expect(adapter.set('k', V)).rejects.toMatchObject({ code: 'L2_SCHEMA_MISMATCH' })
    await expect(adapter.get('k')).rejects.toMatchObject({ code: 'L2_SCHEMA_MISMATCH' })
    expect(await tables()).toBe(0)
    await raw.query(migrationSql({ schema: own.schema }))
    await exercise(adapter)
  })

  test('the SQL to print makes what the adapter makes, may be run again, and loses nothing', async () => {
    const place = await ownSchema(server.url)
    const shape = async (schema: string) => {
      const { rows } = await raw.query(
        `SELECT c.relname, c.relkind, c.relpersistence, c.reloptions, a.attname, a.atttypid::regtype::text,
           a.attnotnull, a.attstorage, replace(pg_get_indexdef(c.oid), $1, '') AS index
         FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
         WHERE c.relnamespace = $1::regnamespace ORDER BY 1, a.attnum`,
        [schema],
      )
      return rows
    }
    await own.open().ping()
    const sql = migrationSql({ schema: place.schema })
    await raw.query(sql)
    expect(await shape(place.schema)).toEqual(await shape(own.schema))
    const adapter = place.open({ migrate: 'check' })
    await adapter.set('k', V, { tags: ['t'] })
    await raw.query(sql)
    await place.open().ping()
    expect(await adapter.get('k')).toEqual(V)
    await exercise(adapter)
  })

  test('tables of another version are refused, and stay as they are', async () => {
    await own.open().set('k', V)
    const { rows } = await raw.query(
      'SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum',
      [`"${own.schema}".l2_layout`],
    )
    const [{ attname }] = rows
    await raw.query(`UPDATE "${own.schema}".l2_layout SET "${attname}" = 99`)
    for (const migrate of ['auto', 'check'] as const)
      await expect(own.open({ migrate }).get('k')).rejects.toMatchObject({
        code: 'L2_SCHEMA_MISMATCH',
      })
    expect(await own.rows()).toEqual({ entry: 1, tag: 0 })
  })

  test('tables that go while the adapter is at work are missed by a typed error, and made anew', async () => {
    const adapter = own.open()
    const checking = own.open({ migrate: 'check' })
    await adapter.set('k', V)
    await checking.get('k')
    await raw.query(`DROP SCHEMA "${own.schema}" CASCADE`)
    for (const one of [adapter, checking, checking])
      await expect(one.get('k')).rejects.toMatchObject({ code: 'L2_SCHEMA_MISMATCH' })
    expect(await tables()).toBe(0)
    await exercise(adapter)
    await exercise(checking)
    for (const table of ['l2_entries', 'l2_layout']) {
      await raw.query(`DROP TABLE "${own.schema}".${table}`)
      const other = own.open({ migrate: 'check' })
      await expect(other.ping()).rejects.toMatchObject({ code: 'L2_SCHEMA_MISMATCH' })
      await own.open().ping()
      await exercise(other)
    }
  })

  test.each(['l2_tags', 'l2_tags, own.l2_layout'])(
    'entries whose tags have been lost are not served, nor pass for removed: without %s',
    async tables => {
      const adapter = own.open()
      await adapter.set('k', V, { tags: ['t'] })
      await raw.query(`DROP TABLE own.${tables}`.replaceAll('own.', `"${own.schema}".`))
      for (const one of [adapter, own.open(), own.open({ migrate: 'check' })]) {
        await expect(one.deleteByTag('t')).rejects.toMatchObject({ code: 'L2_SCHEMA_MISMATCH' })
        await expect(one.get('k')).rejects.toMatchObject({ code: 'L2_SCHEMA_MISMATCH' })
      }
      await raw.query(`DROP TABLE "${own.schema}".l2_entries`)
      await exercise(adapter)
    },
  )

  test('one table that goes is made anew', async () => {
    const adapter = own.open()
    await adapter.set('k', V)
    await raw.query(`DROP TABLE "${own.schema}".l2_entries`)
    await expect(adapter.get('k')).rejects.toMatchObject({ code: 'L2_SCHEMA_MISMATCH' })
    await exercise(adapter)
  })

  test('logged decides for the tables that it makes: unlogged by default', async () => {
    const persistence = async (schema: string) => {
      const { rows } = await raw.query(
        'SELECT relpersistence FROM pg_class WHERE oid = $1::regclass',
        [entryTable(schema)],
      )
      return rows[0].relpersistence
    }
    await own.open().ping()
    expect(await persistence(own.schema)).toBe('u')
    const place = await ownSchema(server.url)
    await exercise(place.open({ logged: true }))
    expect(await persistence(place.schema)).toBe('p')
    // Those that are there stay as they are.
    await exercise(place.open())
    expect(await persistence(place.schema)).toBe('p')
  })
})

describe('rights', () => {
  /** A role that may log in, and its URL. */
  async function role(...rights: string[]): Promise<string> {
    const name = `role_${randomUUID().slice(0, 8)}`
    await raw.query(`CREATE ROLE ${name} LOGIN PASSWORD 'secret'`)
    for (const right of rights) await raw.query(`GRANT ${right} TO ${name}`)
    const url = new URL(server.url)
    url.username = name
    url.password = 'secret'
    return url.href
  }

  test.each(['check', 'off', 'auto'] as const)(
    'a role that may use the schema and change rows does everything: migrate %s',
    async migrate => {
      await raw.query(migrationSql({ schema: own.schema }))
      const url = await role(
        `USAGE ON SCHEMA "${own.schema}"`,
        `SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "${own.schema}"`,
      )
      await exercise(own.open({ url, migrate }))
    },
  )

  test('a role that may make tables in the schema makes them', async () => {
    await raw.query(`CREATE SCHEMA "${own.schema}"`)
    const url = await role(`USAGE, CREATE ON SCHEMA "${own.schema}"`)
    await exercise(own.open({ url }))
  })

  test('a role that may not make them is told so, and what would help', async () => {
    const url = await role()
    await expect(own.open({ url }).ping()).rejects.toMatchObject({
      retryable: false,
      message: expect.stringMatching(/permission|right/i),
    })
    await raw.query(migrationSql({ schema: own.schema }))
    const error = await own
      .open({ url, migrate: 'off' })
      .set('k', V)
      .catch(thrown => thrown)
    expect(error).toMatchObject({ retryable: false })
    expect(error.message).toMatch(/permission|right/i)
    expect(`${error.message} ${error.cause}`).not.toContain('secret')
  })

  test('a role that may read only is told so by ping', async () => {
    await raw.query(migrationSql({ schema: own.schema }))
    const url = await role(
      `USAGE ON SCHEMA "${own.schema}"`,
      `SELECT ON ALL TABLES IN SCHEMA "${own.schema}"`,
    )
    const adapter = own.open({ url })
    await expect(adapter.ping()).rejects.toMatchObject({ retryable: false })
    await expect(adapter.set('k', V)).rejects.toMatchObject({ retryable: false })
  })

  test('a wrong password is no secret\u2019s end', async () => {
    const url = new URL(await role())
    url.password = 'not-the-password'
    const error = await own
      .open({ url: url.href })
      .get('k')
      .catch(thrown => thrown)
    expect(error).toMatchObject({ name: 'L2Error' })
    expect(`${error.message} ${error.cause} ${error.cause?.stack}`).not.toContain(
      'not-the-password',
    )
  })
})
