import pg from 'pg'
import { POOL, postgresUrl, sizeOfTables, tableOf } from '../harness/postgres.js'
import { type Place, type Subject, TTL } from '../harness/subject.js'
import { asText } from '../harness/text.js'

/** The limit: a prepared statement for each call, values in JSON, as most programs do it by hand. */
export const open = (place: Place): Promise<Subject> => byHand(place, '')

/** With tables that a crash empties. */
export const openUnlogged = (place: Place): Promise<Subject> => byHand(place, 'UNLOGGED')

async function byHand(place: Place, kind: string): Promise<Subject> {
  const pool = new pg.Pool({ connectionString: postgresUrl(), max: POOL })
  const entries = tableOf(place)
  const tags = `${entries}_tags`
  await pool.query(`
    CREATE ${kind} TABLE ${entries} (k text PRIMARY KEY, v text, expires_at timestamptz);
    CREATE ${kind} TABLE ${tags} (tag text, k text, PRIMARY KEY (tag, k));
    CREATE INDEX ON ${tags} (k);
  `)
  const statements = {
    get: `SELECT v FROM ${entries} WHERE k = $1 AND expires_at > now()`,
    set: `INSERT INTO ${entries} VALUES ($1, $2, now() + $3 * interval '1 millisecond')
      ON CONFLICT (k) DO UPDATE SET v = excluded.v, expires_at = excluded.expires_at`,
    delete: `DELETE FROM ${entries} WHERE k = $1`,
    untag: `DELETE FROM ${tags} WHERE k = $1`,
    tag: `INSERT INTO ${tags} SELECT unnest($2::text[]), $1`,
    deleteByTag: `WITH gone AS (DELETE FROM ${tags} WHERE tag = $1 RETURNING k)
      DELETE FROM ${entries} USING gone WHERE ${entries}.k = gone.k`,
  }
  const run = (on: pg.Pool | pg.PoolClient, name: keyof typeof statements, values: unknown[]) =>
    on.query({ name: `${entries}_${name}`, text: statements[name], values })
  return {
    toValue: asText,
    async get(key) {
      const { rows } = await run(pool, 'get', [key])
      return rows.length === 0 ? undefined : JSON.parse(rows[0].v)
    },
    set: (key, value) => run(pool, 'set', [key, JSON.stringify(value), TTL]),
    async setTagged(key, value, some) {
      const client = await pool.connect()
      try {
        await client.query('BEGIN')
        await run(client, 'set', [key, JSON.stringify(value), TTL])
        await run(client, 'untag', [key])
        await run(client, 'tag', [key, some])
        await client.query('COMMIT')
      } finally {
        client.release()
      }
    },
    delete: key => run(pool, 'delete', [key]),
    deleteByTag: tag => run(pool, 'deleteByTag', [tag]),
    usedBytes: () => sizeOfTables(place),
    close: () => pool.end(),
  }
}

/** What a round trip costs: asks for nothing, and answers from memory. */
export function openSelect1(place: Place): Subject {
  const pool = new pg.Pool({ connectionString: postgresUrl(), max: POOL })
  const values = new Map<string, unknown>()
  const ask = () => pool.query({ name: 'select_1', text: 'SELECT 1' })
  return {
    async get(key) {
      await ask()
      return values.get(key)
    },
    async set(key, value) {
      await ask()
      values.set(key, value)
    },
    async delete(key) {
      await ask()
      values.delete(key)
    },
    usedBytes: () => sizeOfTables(place),
    close: () => pool.end(),
  }
}
