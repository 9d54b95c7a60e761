import { basename } from 'node:path'
import pg from 'pg'
import type { Place } from './subject.js'

/** Connections of everyone who has a pool. */
export const POOL = 10

/** What the tables begin with of which stalls are measured. */
export const STALLS = 'bench_stalls_'

/** The Postgres that all subjects share. `scripts/bench.mjs` starts one where the environment names none. */
export function postgresUrl(): string {
  const url = process.env['L2_POSTGRES_URL']
  if (url === undefined)
    throw new Error('L2_POSTGRES_URL is not set: run it by `pnpm bench postgres`')
  return url
}

/** What a subject's tables are called, or begin with, on the server that all subjects share. */
export const tableOf = ({ folder }: Place): string =>
  `bench_${basename(folder).replace(/\W/g, '_')}`

/**
 * How much a subject's tables take with their indexes, in bytes. Not the whole database: the tables of
 * others shrink meanwhile, when they are vacuumed.
 */
export async function sizeOfTables(place: Place): Promise<number> {
  const client = new pg.Client(postgresUrl())
  await client.connect()
  try {
    const { rows } = await client.query(
      `SELECT coalesce(sum(pg_total_relation_size(oid)), 0) AS size FROM pg_class
       WHERE relkind = 'r' AND starts_with(relname, $1)`,
      [tableOf(place)],
    )
    return Number(rows[0].size)
  } finally {
    await client.end()
  }
}
