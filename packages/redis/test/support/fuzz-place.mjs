// @ts-check
import { once } from 'node:events'
import { Redis } from 'ioredis'
import { newPassword, startRedisServer } from '../../../../scripts/services/redis.mjs'
import { startRedisCluster } from '../../../../scripts/services/redis-cluster.mjs'
import { ServerHost } from '../../../../scripts/services/server-host.mjs'
import { TcpProxy } from '../../../core/test/support/tcp-proxy.mjs'
import { oneRedis, redisCluster, wayToCluster } from './redis-places.mjs'

/** What fuzz-open.mjs makes an adapter of: its options, and the ways to Redis, of which it takes one. */
/** @typedef {{ prefix: string, sweepInterval: number, ways: Way[] }} Config */
/** @typedef {{ timeout: number, connection: ReturnType<import('./redis-places.mjs').Way> }} Way */

/** @typedef {Awaited<ReturnType<typeof startRedisServer>>} Server */
/** @typedef {import('@l2/fuzz').Scene} Scene */

/**
 * @typedef {{ nodes?: number, rights?: string, hasty?: boolean }} Setup
 *   How many nodes a cluster has (one: it is no cluster), what is denied to the adapters' Redis user, as
 *   for ACL SETUSER, and whether all adapters are in haste.
 */

/** The `timeout` of adapters that take the direct way or that of the first proxies, in ms. */
export const TIMEOUT = 5_000

/** That of those that take the other ones': what stalls for longer makes them give up. */
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

/**
 * Does something with one Redis of a place, whichever it is, as another program.
 *
 * @template T
 * @param {Pick<Scene, 'config' | 'random'>} scene
 * @param {(raw: Redis) => Promise<T>} work
 */
export function onOneRedis({ config, random }, work) {
  const place = placeOf(config)
  return place.asStranger(oneOf(random, place.servers), work)
}

/**
 * @template T
 * @param {Scene['random']} random
 * @param {readonly T[]} list
 */
export const oneOf = (random, list) => /** @type {T} */ (list[random(list.length)])

/** A Redis, or a cluster of them, that one round has to itself, and proxies in front of each. */
export class Place {
  #host

  /**
   * @param {string[]} settings lines of redis.conf
   * @param {Omit<Config, 'ways'>} options of the workers' adapters
   * @param {Setup} setup
   */
  static async open(settings, options, { nodes = 1, rights = '', hasty = false }) {
    const host = await ServerHost.open()
    const password = newPassword()
    const lines = [...settings, `user ${USER} on >${password} ~* &* +@all ${rights}`]
    const servers = await (nodes === 1
      ? startOne(host, lines)
      : startRedisCluster(host, () => {}, { primaries: nodes, settings: lines }).then(
          cluster => cluster.nodes,
        ))
    const [proxies, hastyProxies] = await Promise.all([proxiesOf(servers), proxiesOf(servers)])
    const connection = wayTo(servers)
    const ways = [servers, proxies, hastyProxies].map((ends, at) => ({
      timeout: at === 2 ? HASTE : TIMEOUT,
      connection: { ...connection(ends.map(({ port }) => port)), username: USER, password },
    }))
    const config = { ...options, ways: hasty ? ways.slice(2) : ways }
    const calm = { ...options, ways: ways.slice(0, 1) }
    return new Place(host, servers, [...proxies, ...hastyProxies], hastyProxies, config, calm)
  }

  /**
   * @private
   * @param {ServerHost} host
   * @param {Server[]} servers
   * @param {TcpProxy[]} proxies
   * @param {TcpProxy[]} hastyProxies those of adapters that are in haste
   * @param {Config} config
   * @param {Config} calm the direct way alone
   */
  constructor(host, servers, proxies, hastyProxies, config, calm) {
    this.#host = host
    this.servers = servers
    this.proxies = proxies
    this.hastyProxies = hastyProxies
    this.config = config
    this.calm = calm
    this.prefix = config.prefix
    places.set(config, this)
  }

  /**
   * Does something with one Redis as another program, which knows nothing of the adapters.
   *
   * @template T
   * @param {Server} server
   * @param {(raw: Redis) => Promise<T>} work
   */
  async asStranger(server, work) {
    const raw = new Redis(server.url, { retryStrategy: null, maxRetriesPerRequest: 0 })
    raw.on('error', () => {})
    try {
      return await work(raw)
    } finally {
      raw.disconnect()
    }
  }

  /**
   * Does something with all that is stored, wherever it is.
   *
   * @template T
   * @param {(inside: import('./redis-places.mjs').Place) => Promise<T>} work
   */
  async inside(work) {
    const place = insideOf(this.servers)
    try {
      await once(place.raw, 'ready')
      return await work(place)
    } finally {
      for (const client of [place.raw, ...place.clients]) client.disconnect()
    }
  }

  async close() {
    for (const proxy of this.proxies) await proxy.close()
    await this.#host.close()
  }
}

/**
 * @param {ServerHost} host
 * @param {string[]} lines
 */
const startOne = async (host, lines) => [await startRedisServer(host, () => {}, lines)]

const proxiesOf = (/** @type {Server[]} */ servers) =>
  Promise.all(servers.map(({ port }) => new TcpProxy({ host: '127.0.0.1', port }).listen()))

/** One alone is no cluster. @type {(servers: Server[]) => import('./redis-places.mjs').Way} */
const wayTo = servers => {
  const [{ password, port }, ...others] = /** @type {[Server, ...Server[]]} */ (servers)
  if (others.length > 0) return wayToCluster({ nodes: servers, password })
  return ([at = port] = []) => ({ host: '127.0.0.1', port: at, password })
}

const insideOf = (/** @type {Server[]} */ servers) => {
  const [{ password, url }, ...others] = /** @type {[Server, ...Server[]]} */ (servers)
  return others.length > 0 ? redisCluster({ nodes: servers, password }) : oneRedis(url)
}
