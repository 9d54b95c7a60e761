// @ts-check
import pg from 'pg'

/** The Postgres that the test command started, or that the environment names. */
export function postgresUrl() {
  const url = process.env['L2_POSTGRES_URL']
  if (url) return url
  throw new Error('L2_POSTGRES_URL is not set: run tests through "pnpm test", which starts servers')
}

/** The same Postgres by way of a port of this machine. */
export function postgresUrlAt(/** @type {number} */ port) {
  const url = new URL(postgresUrl())
  url.hostname = '127.0.0.1'
  url.port = String(port)
  return url.href
}

/** Where it listens. */
export function postgresAddress() {
  const { hostname, port } = new URL(postgresUrl())
  return { host: hostname, port: Number(port || 5432) }
}

/** Connections of our own, to look inside and to disturb. */
export function rawPool(url = postgresUrl()) {
  const pool = new pg.Pool({ connectionString: url, max: 4, allowExitOnIdle: true })
  pool.on('error', () => {})
  return pool
}
