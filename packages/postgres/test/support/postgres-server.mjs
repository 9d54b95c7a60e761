// @ts-check
import pg from 'pg'

/** The Postgres that the test command started, or that the environment names. */
export function postgresUrl() {
  const url = process.env['L2_POSTGRES_URL']
  if (url) return url
  throw new Error('L2_POSTGRES_URL is not set: run tests through "pnpm test", which starts servers')
}

/** Connections of our own, to look inside and to disturb. */
export function rawPool(url = postgresUrl()) {
  const pool = new pg.Pool({ connectionString: url, max: 4, allowExitOnIdle: true })
  pool.on('error', () => {})
  return pool
}
