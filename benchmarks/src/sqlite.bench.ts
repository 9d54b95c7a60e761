import Database from 'better-sqlite3'
import { benchmark } from './harness/benchmark.js'
import { versionOf } from './harness/page.js'
import type { Row } from './harness/subject.js'

const db = new Database(':memory:')
const sqlite = db.prepare('SELECT sqlite_version()').pluck().get()
db.close()

const page = {
  name: 'sqlite',
  title: 'SQLite',
  intro: `Values of 1 KiB in a database file, WAL and \`synchronous = NORMAL\` but where a note says otherwise.
The limit is better-sqlite3's prepared statements by hand, each behind an \`await\`; the control is
the same again.`,
  versions: { 'better-sqlite3': versionOf('better-sqlite3'), SQLite: `${sqlite}` },
}

const rows: Row[] = [
  { id: 'raw', title: 'better-sqlite3', file: 'raw-sqlite' },
  { id: 'control', title: 'better-sqlite3 (control)', file: 'raw-sqlite' },
  { id: 'turns', title: 'better-sqlite3, one transaction per turn', file: 'raw-sqlite-turns' },
  { id: 'l2', title: '@l2/sqlite', file: 'l2-sqlite' },
  {
    id: 'unstorage',
    title: 'unstorage, db0',
    file: 'unstorage-db0',
    peer: ['unstorage', 'db0'],
    note: 'no expiry, no tags',
  },
  {
    id: 'kysely',
    title: 'BentoCache, kysely',
    file: 'bentocache-sqlite',
    open: 'openKysely',
    peer: ['bentocache', 'kysely'],
    note: 'no L1; text in JSON',
  },
  {
    id: 'knex',
    title: 'BentoCache, knex',
    file: 'bentocache-sqlite',
    open: 'openKnex',
    peer: ['bentocache', 'knex'],
    note: 'no L1; text in JSON',
  },
  {
    id: 'keyv-tuned',
    title: '@keyv/sqlite, WAL and NORMAL',
    file: 'keyv-sqlite',
    open: 'openTuned',
    peer: ['@keyv/sqlite', 'keyv'],
    native: true,
    note: 'through keyv; no tags; text in JSON',
  },
  {
    id: 'keyv',
    title: '@keyv/sqlite',
    file: 'keyv-sqlite',
    peer: ['@keyv/sqlite', 'keyv'],
    native: true,
    entries: 1_000,
    note: 'through keyv, over 1 000 entries only, as it comes: a rollback journal and an fsync per write; no tags; text in JSON',
  },
]

await benchmark(rows, page)
