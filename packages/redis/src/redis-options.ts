import { Redis, type RedisOptions } from 'ioredis'

/** How to connect. In each way the adapter has one connection of its own, which `close()` ends. */
export type RedisConnectionOptions = ByUrl | ByConnection | ByClient

interface ByUrl {
  /** `redis://user:password@host:port/db`, or `rediss://…` for TLS. */
  readonly url: string
  readonly connection?: undefined
  readonly client?: undefined
}

interface ByConnection {
  /** What `new Redis()` of ioredis takes: `host`, `port`, `path`, `username`, `password`, `db`, `tls`, … */
  readonly connection: RedisOptions
  readonly url?: undefined
  readonly client?: undefined
}

interface ByClient {
  /**
   * An ioredis client of yours, whose options say how to connect, `keyPrefix` included. They are read
   * at each connection, so that a password may change. The client itself is neither used nor closed:
   * its offline queue and its resends could carry out a call long after it has failed.
   */
  readonly client: { readonly options: RedisOptions; readonly isCluster?: boolean }
  readonly url?: undefined
  readonly connection?: undefined
}

/** Tells how to connect. @throws TypeError where the options don't say it in one way. */
export function connectionOf(options: RedisConnectionOptions): () => RedisOptions {
  const { url, connection, client } = options ?? {}
  if ([url, connection, client].filter(one => one !== undefined).length !== 1)
    throw new TypeError('options must have one of url, connection and client')
  if (client !== undefined) {
    if (typeof client !== 'object' || client === null || typeof client.options !== 'object')
      throw new TypeError('client must be a client of ioredis')
    if (client.isCluster) throw new TypeError('client must not be a Cluster yet: give a Redis')
    return () => client.options
  }
  const { options: parsed } = parsedBy(url, connection)
  return () => parsed
}

function parsedBy(url: unknown, connection: unknown): Redis {
  // What ioredis makes of them; it does not connect. Its own errors could show a password.
  if (connection !== undefined) {
    if (typeof connection !== 'object' || connection === null)
      throw new TypeError('connection must be an object: the options of ioredis')
    return new Redis({ ...(connection as RedisOptions), replyMapping: 'legacy', lazyConnect: true })
  }
  if (typeof url !== 'string' || !/^rediss?:\/\//i.test(url) || !URL.canParse(url))
    throw new TypeError('url must be a string that begins with redis:// or rediss://')
  return new Redis(url, { lazyConnect: true })
}
