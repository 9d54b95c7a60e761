import { type ClusterOptions, Redis, type RedisOptions } from 'ioredis'
import { checkClient, checkConnectionOptions, checkPort, checkUrl } from './redis-checks.js'
import type { Address } from './redis-slots.js'

/** How to connect. In each way the adapter has connections of its own, which `close()` ends. */
export type RedisConnectionOptions = ByUrl | ByConnection | ByClient

interface ByUrl {
  /** `redis://user:password@host:port/db`, or `rediss://…` for TLS; `db` is a number, 0 by default. */
  readonly url: string
  readonly connection?: undefined
  readonly client?: undefined
}

interface ByConnection {
  /**
   * What `new Redis()` of ioredis takes: `host`, `port`, `path`, `username`, `password`, `tls`, `db`, …;
   * `sentinels` and `name` for the primary that Sentinels name; or `cluster` for a Redis Cluster:
   * some of its nodes, by which the others are found, and the rest holds for each of them.
   */
  readonly connection: RedisOptions & { readonly cluster?: readonly ClusterSeed[] | undefined }
  readonly url?: undefined
  readonly client?: undefined
}

/** A node of a Redis Cluster. */
interface ClusterSeed {
  readonly host: string
  /** Default 6379. */
  readonly port?: number | undefined
}

interface ByClient {
  /**
   * An ioredis client of yours, Redis or Cluster, whose options say how to connect, `keyPrefix`
   * included. They are read at each connection, so that a password may change. The client itself is
   * neither used nor closed: its offline queue and its resends could carry out a call long after it
   * has failed.
   */
  readonly client: {
    readonly options: RedisOptions | ClusterOptions
    readonly isCluster?: boolean
    /** Which clients of other libraries don't have: their options would mean nothing here. */
    readonly status: string
  }
  readonly url?: undefined
  readonly connection?: undefined
}

/** How to connect to one Redis, or to the nodes of a cluster. */
export type Place = SinglePlace | ClusterPlace

interface SinglePlace {
  readonly keyPrefix: string
  readonly seeds?: undefined
  readonly each: RedisOptions
}

export interface ClusterPlace {
  readonly keyPrefix: string
  /** Some nodes. */
  readonly seeds: readonly Address[]
  /** What holds for every node. */
  readonly each: RedisOptions
  /** Where nodes are for us, by where they say they are. */
  readonly natMap: ClusterOptions['natMap']
}

/** Tells how to connect. @throws TypeError where the options don't say it in one way. */
export function connectionOf(options: RedisConnectionOptions): () => Place {
  const { url, connection, client } = options ?? {}
  if ([url, connection, client].filter(one => one !== undefined).length !== 1)
    throw new TypeError('options must have one of url, connection and client')
  if (client !== undefined) {
    checkClient(client)
    return client.isCluster ? clusterOfClient(client) : () => single(client.options as RedisOptions)
  }
  const { options: parsed } = parsedBy(url, connection)
  const { cluster } = (connection as ByConnection['connection'] | undefined) ?? {}
  const place = cluster === undefined ? single(parsed) : clusterOf(cluster, parsed, parsed.natMap)
  return () => place
}

function single(each: RedisOptions): SinglePlace {
  checkConnectionOptions(each)
  return { keyPrefix: each.keyPrefix ?? '', each: { ...each, db: Number(each.db ?? 0) } }
}

function clusterOf(
  seeds: unknown,
  each: RedisOptions,
  natMap: ClusterOptions['natMap'],
  keyPrefix = each.keyPrefix ?? '',
): ClusterPlace {
  if (!Array.isArray(seeds) || seeds.length === 0)
    throw new TypeError('cluster must be a list of nodes, of one at least: [{ host, port }]')
  const addresses = seeds.map((seed: Partial<ClusterSeed> | null) => {
    const { host, port = 6379 } = seed ?? {}
    if (typeof host !== 'string' || host === '' || !Number.isInteger(port))
      throw new TypeError('each node of cluster must be { host, port }')
    checkPort('port of each node of cluster', port)
    return { host, port }
  })
  checkConnectionOptions({ ...each, keyPrefix })
  if (Number(each.db ?? 0) !== 0) throw new TypeError('db must be 0: a Cluster has no other')
  // A cluster has its own way to find primaries.
  const { path, sentinels, ...others } = each
  return { keyPrefix, seeds: addresses, each: { ...others, db: 0 }, natMap }
}

/** A Cluster keeps to itself which nodes it was told of, but not from JavaScript. */
function clusterOfClient(client: ByClient['client']): () => ClusterPlace {
  const { options } = client as { readonly options: ClusterOptions }
  const { startupNodes } = client as unknown as { readonly startupNodes: unknown }
  if (!Array.isArray(startupNodes)) throw new TypeError('client must be a Cluster of ioredis')
  if (options.useSRVRecords)
    throw new TypeError('client must not find its nodes by useSRVRecords: name some of them')
  const nodes = startupNodes.map(optionsOfNode)
  const read = (): ClusterPlace => {
    const { redisOptions, natMap, keyPrefix } = options
    // As with ioredis, what holds for all is told apart; credentials in a URL are meant for all, too.
    const { host, port, ...first } = nodes[0] ?? {}
    return clusterOf(nodes, { ...first, ...redisOptions }, natMap, keyPrefix ?? undefined)
  }
  read()
  return read
}

/** What ioredis makes of one node: an object, a URL or a port. */
function optionsOfNode(node: string | number | RedisOptions): RedisOptions {
  if (typeof node === 'number') return { host: '127.0.0.1', port: node }
  if (typeof node !== 'string')
    return { ...node, host: node.host ?? '127.0.0.1', port: Number(node.port ?? 6379) }
  if (/^rediss?:/i.test(node)) checkUrl(node)
  const { host, port, username, password, tls } = new Redis(node, { lazyConnect: true }).options
  const options = { host, port, username, password, tls }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value != null))
}

function parsedBy(url: unknown, connection: unknown): Redis {
  // What ioredis makes of them; it does not connect. Its own errors could show a password.
  if (connection !== undefined) {
    if (typeof connection !== 'object' || connection === null)
      throw new TypeError('connection must be an object: the options of ioredis')
    const { sentinels, name } = connection as RedisOptions
    if (sentinels != null && !(sentinels.length > 0 && name))
      throw new TypeError('sentinels must be a list of some, and name what they call the primary')
    // Before it makes numbers of them.
    checkConnectionOptions(connection as RedisOptions)
    return new Redis({ ...(connection as RedisOptions), replyMapping: 'legacy', lazyConnect: true })
  }
  checkUrl(url)
  return new Redis(url, { lazyConnect: true })
}
