// @ts-check
import { Redis } from 'ioredis'
import { newPassword, startRedisServer } from '../../../../scripts/services/redis.mjs'
import { ServerHost } from '../../../../scripts/services/server-host.mjs'
import { TcpProxy } from '../../../core/test/support/tcp-proxy.mjs'

/** What fuzz-open.mjs makes an adapter of: its options, and the ways to Redis, of which it takes one. */
/** @typedef {{ prefix: string, sweepInterval: number, ways: Way[] }} Config */
/** @typedef {{ timeout: number, connection: Connection }} Way */
/** @typedef {{ host: string, port: number, username: string, password: string }} Connection */

/**
 * @typedef {{ rights?: string, hasty?: boolean }} Access
 *   What is denied to the adapters' Redis user, as for ACL SETUSER, and whether all are in haste.
 */

/** The `timeout` of adapters that take the direct way or that of one of the proxies, in ms. */
export const TIMEOUT = 5_000

/** That of those that take the other one's: what stalls for longer makes them give up. */
export const HASTE = 300

/** What their failures begin with. */
export const IN_HASTE = 'in haste: '

/** The Redis user of the workers. */
const USER = 'worker'

/** By what workers are told of them. @type {WeakMap<object, Place>} */
const places = new WeakMap()

/** The place that a fault is to break. */
export function placeOf(/** @type {unknown} */ config) {
  const place = places.get(/** @type {object} */ (config))
  if (place === undefined) throw new Error('not the config of a place')
  return place
}

/** A Redis that one round has to itself, and proxies in front of it. */
export class Place {
  #host

  /**
   * @param {string[]} settings lines of redis.conf
   * @param {Omit<Config, 'ways'>} options of the workers' adapters
   * @param {Access} access
   */
  static async open(settings, options, { rights = '', hasty = false }) {
    const host = await ServerHost.open()
    const password = newPassword()
    const user = `user ${USER} on >${password} ~* &* +@all ${rights}`
    const server = await startRedisServer(host, () => {}, [...settings, user], { password })
    const target = { host: '127.0.0.1', port: server.port }
    const proxies = await Promise.all(
      Array.from({ length: 2 }, () => new TcpProxy(target).listen()),
    )
    return new Place(host, server, proxies, options, hasty)
  }

  /**
   * @private
   * @param {ServerHost} host
   * @param {Awaited<ReturnType<typeof startRedisServer>>} server
   * @param {TcpProxy[]} proxies
   * @param {Omit<Config, 'ways'>} options
   * @param {boolean} hasty
   */
  constructor(host, server, proxies, options, hasty) {
    this.#host = host
    this.server = server
    this.proxies = proxies
    const [, hastyProxy] = proxies
    if (hastyProxy === undefined) throw new Error('two proxies')
    this.hastyProxy = hastyProxy
    this.prefix = options.prefix
    const { password } = server
    const ways = [server, ...proxies].map(({ port }, at) => ({
      timeout: at === 2 ? HASTE : TIMEOUT,
      connection: { host: '127.0.0.1', port, username: USER, password },
    }))
    /** @type {Config} */
    this.config = { ...options, ways: hasty ? ways.slice(2) : ways }
    /** The direct way alone. @type {Config} */
    this.calm = { ...options, ways: ways.slice(0, 1) }
    places.set(this.config, this)
  }

  /**
   * Does something with the Redis as another program, which knows nothing of the adapters.
   *
   * @template T
   * @param {(raw: Redis) => Promise<T>} work
   */
  async asStranger(work) {
    const raw = new Redis(this.server.url, { retryStrategy: null, maxRetriesPerRequest: 0 })
    raw.on('error', () => {})
    try {
      return await work(raw)
    } finally {
      raw.disconnect()
    }
  }

  async close() {
    for (const proxy of this.proxies) await proxy.close()
    await this.#host.close()
  }
}
