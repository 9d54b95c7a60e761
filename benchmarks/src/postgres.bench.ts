import pg from 'pg'
import { benchmark } from './harness/benchmark.js'
import { versionOf } from './harness/page.js'
import { postgresUrl } from './harness/postgres.js'
import type { Row } from './harness/subject.js'

const client = new pg.Client(postgresUrl())
await client.connect()
const { rows: settings } = await client.query(
  `SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync`,
)
await client.end()

const page = {
  name: 'postgres',
  title: 'Postgres',
  intro: `Values of 1 KiB on one Postgres of the same machine, which all share, with \`fsync\` ${settings[0].fsync}. The limit is
pg by hand over a pool of 10: a prepared statement for each call, values in JSON in a logged table; an
entry with tags is a transaction that writes it and its tag rows. The control is the same again.
BentoCache's kysely driver is left out: with Postgres its set fails.`,
  versions: { pg: versionOf('pg'), Postgres: settings[0].version },
}

const rows: Row[] = [
  { id: 'raw', title: 'pg', file: 'raw-postgres' },
  { id: 'control', title: 'pg (control)', file: 'raw-postgres' },
  { id: 'unlogged', title: 'pg, unlogged', file: 'raw-postgres', open: 'openUnlogged' },
  {
    id: 'select-1',
    title: '`SELECT 1`',
    file: 'raw-postgres',
    open: 'openSelect1',
    note: 'for each call; stores nothing',
  },
  { id: 'l2', title: '@l2/postgres', file: 'l2-postgres', note: 'unlogged, as by default' },
  { id: 'l2-logged', title: '@l2/postgres, logged', file: 'l2-postgres', open: 'openLogged' },
  {
    id: 'keyv',
    title: '@keyv/postgres',
    file: 'keyv-postgres',
    peer: ['@keyv/postgres', 'keyv'],
    note: 'through keyv; no tags; text in JSON',
  },
  {
    id: 'keyv-unlogged',
    title: '@keyv/postgres, unlogged',
    file: 'keyv-postgres',
    open: 'openUnlogged',
    peer: ['@keyv/postgres', 'keyv'],
    note: 'no tags; text in JSON',
  },
  {
    id: 'bento-knex',
    title: 'BentoCache, knex',
    file: 'bentocache-postgres',
    peer: ['bentocache', 'knex'],
    note: 'no L1; text in JSON',
  },
]

await benchmark(rows, page)
