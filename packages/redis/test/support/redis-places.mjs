// @ts-check
import { Cluster, Redis } from 'ioredis'
import { rawClient } from './redis-server.mjs'

/** @typedef {{ host: string, port: number }} Address */
/** @typedef {import('@l2/redis').RedisAdapterOptions} Options */

/**
 * What adapters are told: with other ports for its nodes where they are behind proxies.
 *
 * @typedef {(ports?: number[]) => NonNullable<Options['connection']>} Way
 */

/**
 * Where the cases of the kit are run, and clients to look inside.
 *
 * @typedef {{ nodes: Address[], connection: Way, raw: Redis | Cluster, clients: Redis[] }} Place
 */

/** @returns {Place} */
export function oneRedis(/** @type {string} */ url) {
  const raw = rawClient(url)
  const { host = '', port = 0, username, password } = raw.options
  return {
    nodes: [{ host, port }],
    connection: ([at = port] = []) => ({ host: '127.0.0.1', port: at, username, password }),
    raw,
    clients: [raw],
  }
}

/**
 * @param {{ nodes: { port: number }[], password: string }} cluster
 * @returns {Place}
 */
export function redisCluster(cluster) {
  const { nodes, password } = cluster
  const addresses = nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
  const raw = new Cluster(addresses, { redisOptions: { password, maxRetriesPerRequest: 0 } })
  raw.on('error', () => {})
  const clients = addresses.map(
    ({ host, port }) => new Redis({ host, port, password, maxRetriesPerRequest: 0 }),
  )
  for (const client of clients) client.on('error', () => {})
  return {
    nodes: addresses,
    connection: wayToCluster(cluster),
    raw,
    clients,
  }
}

/**
 * @param {{ nodes: { port: number }[], password: string }} cluster
 * @returns {Way}
 */
export function wayToCluster({ nodes, password }) {
  const own = nodes.map(({ port }) => port)
  return (ports = own) => ({
    cluster: ports.map(port => ({ host: '127.0.0.1', port })),
    natMap: Object.fromEntries(
      own.map((port, at) => [`127.0.0.1:${port}`, { host: '127.0.0.1', port: ports[at] ?? 0 }]),
    ),
    password,
  })
}

/**
 * @param {Awaited<ReturnType<
 *   typeof import('../../../../scripts/services/redis-sentinel.mjs').startRedisSentinels
 * >>} redis
 * @returns {Place}
 */
export function redisBehindSentinels({ primary, sentinels, name, password }) {
  const raw = rawClient(primary.url)
  const address = { host: '127.0.0.1', port: primary.port }
  return {
    nodes: [address],
    connection: ([port = primary.port] = []) => ({
      sentinels: sentinels.map(one => ({ host: '127.0.0.1', port: one.port })),
      name,
      sentinelPassword: password,
      password,
      natMap: { [`${address.host}:${address.port}`]: { host: '127.0.0.1', port } },
    }),
    raw,
    clients: [raw],
  }
}
