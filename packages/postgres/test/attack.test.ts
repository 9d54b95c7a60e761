import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { TcpProxy } from '../../core/test/support/tcp-proxy.mjs'
import { openAdapter, openSession } from './support/adapters.js'
import { postgresUrl } from './support/postgres-server.mjs'
import { bytes, text } from './support/text.js'

/*
 * What those can do who share the database, the role or the pool with the adapter.
 */

/** A schema for one test. */
async function openSchema() {
  const raw = await openSession()
  const schema = `attack_${randomUUID().slice(0, 8)}`
  await raw.query(`CREATE SCHEMA ${schema}`)
  onTestFinished(async () => {
    await (await openSession()).query(`DROP SCHEMA ${schema} CASCADE`)
  })
  return { raw, schema }
}

/** Operators for types that Postgres would convert, and functions that suit such calls better than its own. */
const TRAPS = `
DO $do$
DECLARE
  types text[] := '{int2,int4,int8,numeric,float8,oid,regclass,text,bytea}';
  l text; r text; op text;
BEGIN
  FOREACH l IN ARRAY types LOOP
    FOREACH r IN ARRAY types LOOP
      EXECUTE format('CREATE FUNCTION trap(%s, %s) RETURNS bool LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION ''operator of %s and %s''; END $$', l, r, l, r);
      FOREACH op IN ARRAY '{=,<>,<,>,<=,>=,+,-,*,/,||}'::text[] LOOP
        IF NOT EXISTS (SELECT FROM pg_operator WHERE oprname = op AND oprleft = l::regtype
            AND oprright = r::regtype) THEN
          EXECUTE format('CREATE OPERATOR %s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = trap)', op, l, r);
        END IF;
      END LOOP;
    END LOOP;
  END LOOP;
END $do$;
CREATE FUNCTION concat_ws(text, text, int8) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'concat_ws'; END $$;
CREATE FUNCTION concat_ws(text, text, text, int8) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'concat_ws'; END $$;
CREATE FUNCTION pg_terminate_backend(int4, int4) RETURNS bool LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'pg_terminate_backend'; END $$;
CREATE FUNCTION unnest(bytea[]) RETURNS SETOF bytea LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'unnest'; END $$;
`

test.each([false, true])(
  'functions and operators that others have put into the search_path are not run: logged %j',
  async logged => {
    const { raw, schema } = await openSchema()
    await raw.query(`SET search_path = ${schema}; ${TRAPS}`)
    const connection = { connectionString: postgresUrl(), options: `-c search_path=${schema}` }
    const adapter = openAdapter({ connection, schema, logged, timeout: 2_000 })
    const both = ['a', 'b']
    await adapter.ping()
    await adapter.set('k', bytes('k'), { ttl: 60_000 })
    await Promise.all(both.map(key => adapter.set(key, bytes(key), { ttl: 60_000 })))
    await Promise.all(both.map(key => adapter.set(key, bytes(key), { tags: ['t', key] })))
    expect((await Promise.all(both.map(key => adapter.get(key)))).map(text)).toEqual(both)
    expect(text(await adapter.get('k'))).toBe('k')
    await adapter.set('short', bytes('s'), { ttl: 1, tags: ['t'] })
    await adapter.deleteByTag('a')
    await adapter.delete('k')
    // One that is given up while it waits for a lock: whoever carries it out is ended.
    await raw.query(`BEGIN; SELECT FROM ${schema}.l2_entries FOR UPDATE`)
    await expect(adapter.set('b', bytes('late'))).rejects.toMatchObject({ code: 'L2_TIMEOUT' })
    await adapter.set('c', bytes('c'), { tags: ['t'] })
    await raw.query('ROLLBACK')
    await adapter.sweep()
    await adapter.deleteByTag('t')
    await adapter.clear()
    expect(await adapter.get('c')).toBe(undefined)
  },
)

test('calls that bring many tags do not share a statement that takes for ever', async () => {
  const { raw, schema } = await openSchema()
  const adapter = openAdapter({ schema })
  await adapter.ping()
  await raw.query(`SET search_path = ${schema};
    CREATE TABLE statements (tags int8);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO statements SELECT count(*) FROM new_rows; RETURN NULL; END $$;
    CREATE TRIGGER note AFTER INSERT ON l2_tags REFERENCING NEW TABLE AS new_rows
      FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.note()`)
  await raw.query(`ALTER FUNCTION note() SET search_path = ${schema}`)
  const keys = Array.from({ length: 60 }, (_, i) => `k${i}`)
  const tagsOf = (key: string) => Array.from({ length: 500 }, (_, i) => `${key}-${i}`)
  await Promise.all(keys.map(key => adapter.set(key, bytes(key), { tags: tagsOf(key) })))
  const { rows } = await raw.query('SELECT sum(tags)::int, max(tags)::int FROM statements')
  expect(rows[0].sum).toBe(30_000)
  expect(rows[0].max).toBeLessThanOrEqual(8_192)
  // One has more than that alone.
  const most = Array.from({ length: 10_000 }, (_, i) => `t${i}`)
  await Promise.all(['many', 'k1'].map(key => adapter.set(key, bytes(key), { tags: most })))
  await adapter.deleteByTag('t9999')
  expect(await adapter.get('many')).toBe(undefined)
})

test('a storm of bulk calls leaves the pool to others', async () => {
  const pool = new pg.Pool({ connectionString: postgresUrl(), max: 20 })
  onTestFinished(() => pool.end())
  const adapter = openAdapter({ pool })
  await adapter.set('k', bytes('k'), { tags: ['t7'] })
  const stopped = new AbortController()
  const storm = Array.from({ length: 100 }, (_, i) => adapter.deleteByTag(`t${i}`))
  const given = Array.from({ length: 50 }, () => adapter.clear({ signal: stopped.signal }))
  stopped.abort(new Error('stopped'))
  for (const one of await Promise.allSettled(given)) expect(one.status).toBe('rejected')
  await Promise.all([...storm, adapter.sweep(), adapter.sweep(), adapter.clear()])
  expect(await adapter.get('k')).toBe(undefined)
  expect(pool.totalCount).toBeLessThanOrEqual(6)
})

test.each(['SELECT 1', 'SELECT 1 / 0'])(
  'nothing is written in a transaction that the application has left open: %s',
  async sql => {
    const pool = new pg.Pool({ connectionString: postgresUrl(), max: 1 })
    onTestFinished(() => pool.end())
    const adapter = openAdapter({ pool })
    await adapter.set('k', bytes('before'))
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query(sql).catch(() => {})
    client.release()
    // That connection is gone afterwards, and its transaction with it.
    await expect(adapter.set('k', bytes('lost'))).rejects.toMatchObject({ code: 'L2_UNAVAILABLE' })
    await adapter.set('k', bytes('after'))
    await pool.query('ROLLBACK')
    expect(text(await adapter.get('k'))).toBe('after')
  },
)

test('what pg gives up by a query_timeout of its own never undoes a younger call', async () => {
  const url = new URL(postgresUrl())
  const target = { host: url.hostname, port: Number(url.port) }
  const proxy = await new TcpProxy(target).listen()
  onTestFinished(() => proxy.close())
  url.port = String(proxy.port)
  const connection = { connectionString: url.href, query_timeout: 700 }
  await openAdapter().ping()
  const adapter = openAdapter({ connection, timeout: 2_500 })
  await adapter.set('k', bytes('before'))
  proxy.stall()
  await expect(adapter.set('k', bytes('given up'))).rejects.toMatchObject({ code: 'L2_TIMEOUT' })
  proxy.open()
  const younger = (): Promise<boolean> =>
    adapter.set('k', bytes('younger')).then(
      () => true,
      () => false,
    )
  await expect.poll(younger, { timeout: 15_000 }).toBe(true)
  proxy.resume()
  await pause(200)
  expect(text(await adapter.get('k'))).toBe('younger')
})
