// @ts-check
import { Redis } from 'ioredis'
import { startRedisServer } from '../../../../scripts/services/redis.mjs'
import { ServerHost } from '../../../../scripts/services/server-host.mjs'
import { RedisProxy } from './redis-proxy.mjs'

/** What fuzz-open.mjs makes an adapter of: its options, and the ways to Redis, of which it takes one. */
/** @typedef {{ prefix: string, sweepInterval: number, ways: Way[] }} Config */
/** @typedef {{ timeout: number, connection: { host: string, port: number, password: string } }} Way */

/** The `timeout` of adapters that take the direct way or that of one of the proxies, in ms. */
export const TIMEOUT = 5_000

/** That of those that take the other one's: what stalls for longer makes them give up. */
export const HASTE = 1_000

/** What their failures begin with. */
export const IN_HASTE = 'in haste: '

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
   */
  static async open(settings, options) {
    const host = await ServerHost.open()
    const server = await startRedisServer(host, () => {}, settings)
    const target = { host: '127.0.0.1', port: server.port }
    const proxies = await Promise.all(
      Array.from({ length: 2 }, () => new RedisProxy(target).listen()),
    )
    return new Place(host, server, proxies, options)
  }

  /**
   * @private
   * @param {ServerHost} host
   * @param {Awaited<ReturnType<typeof startRedisServer>>} server
   * @param {RedisProxy[]} proxies
   * @param {Omit<Config, 'ways'>} options
   */
  constructor(host, server, proxies, options) {
    this.#host = host
    this.server = server
    this.proxies = proxies
    this.prefix = options.prefix
    const { password } = server
    const ways = [server, ...proxies].map(({ port }, at) => ({
      timeout: at === 2 ? HASTE : TIMEOUT,
      connection: { host: '127.0.0.1', port, password },
    }))
    /** @type {Config} */
    this.config = { ...options, ways }
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
