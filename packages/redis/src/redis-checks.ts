import type { Redis, RedisOptions } from 'ioredis'

/** The highest number that Redis reads as one of a database. */
const HIGHEST_DB = 2 ** 31 - 1

/**
 * ioredis takes what can't be right, and says so late or never.
 *
 * @throws TypeError that names the option.
 */
export function checkConnectionOptions({ db }: RedisOptions): void {
  if (db != null && !isWhole(db, 0, HIGHEST_DB))
    throw new TypeError('db must be the number of a database: an integer from 0 on')
}

/** @throws TypeError where ioredis would make something else of a URL than it says. */
export function checkUrl(url: unknown): asserts url is string {
  if (typeof url !== 'string' || !/^rediss?:\/\//i.test(url) || !URL.canParse(url))
    throw new TypeError('url must be a string that begins with redis:// or rediss://')
  const { pathname, searchParams } = new URL(url)
  for (const db of [pathname.slice(1), searchParams.get('db') ?? ''])
    if (db !== '' && !isWhole(db, 0, HIGHEST_DB))
      throw new TypeError('url must have the number of a database as its path (db), or none')
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
