import { checkName } from '@l2/core'
import type { Redis, RedisOptions } from 'ioredis'

/** The highest number that Redis reads as one of a database. */
const HIGHEST_DB = 2 ** 31 - 1

const HIGHEST_PORT = 65_535

/**
 * ioredis takes what can't be right, and says so late or never.
 *
 * @throws TypeError that names the option.
 */
export function checkConnectionOptions({
  db,
  host,
  port,
  keyPrefix,
  sentinels,
}: RedisOptions): void {
  if (db != null && !isWhole(db, 0, HIGHEST_DB))
    throw new TypeError('db must be the number of a database: an integer from 0 on')
  if (host != null && typeof host !== 'string') throw new TypeError('host must be a string')
  checkPort('port', port)
  for (const sentinel of sentinels ?? []) checkPort('port of each of sentinels', sentinel?.port)
  // It is a part of names as `prefix` is.
  if (keyPrefix != null) checkName('keyPrefix', keyPrefix)
}

/** @throws TypeError */
export function checkPort(what: string, port: unknown): void {
  if (port !== undefined && !isWhole(port, 1, HIGHEST_PORT))
    throw new TypeError(`${what} must be an integer from 1 to ${HIGHEST_PORT}`)
}

/** @throws TypeError where ioredis would make something else of a URL than it says. */
export function checkUrl(url: unknown): asserts url is string {
  if (typeof url !== 'string' || !/^rediss?:\/\//i.test(url) || !URL.canParse(url))
    throw new TypeError('url must be a string that begins with redis:// or rediss://')
  const { pathname, searchParams, username, password } = new URL(url)
  if (!isEncoded(username) || !isEncoded(password))
    throw new TypeError('url must have user name and password percent-encoded: % is written %25')
  for (const db of [pathname.slice(1), searchParams.get('db') ?? ''])
    if (db !== '' && !isWhole(db, 0, HIGHEST_DB))
      throw new TypeError('url must have the number of a database as its path (db), or none')
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** Whether it is an integer from `least` to `most`, or the digits of one, as ioredis takes them. */
function isWhole(value: unknown, least: number, most: number): boolean {
  if (typeof value !== 'number' && !(typeof value === 'string' && /^\d+$/.test(value))) return false
  return Number.isInteger(Number(value)) && Number(value) >= least && Number(value) <= most
}

/**
 * Those of other libraries have options, too, of which none would be understood: the adapter would
 * connect to localhost.
 *
 * @throws TypeError where it is no client of ioredis.
 */
export function checkClient(client: unknown): void {
  const { options, status, sendCommand } = (client ?? {}) as Partial<Redis>
  const isOne = typeof status === 'string' && typeof sendCommand === 'function'
  if (!isOne || typeof options !== 'object' || options === null)
    throw new TypeError(
      'client must be a client of ioredis, Redis or Cluster: instead of one of another library say ' +
        '`url` or `connection`',
    )
}
