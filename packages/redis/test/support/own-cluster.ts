import { afterAll, beforeAll } from 'vitest'
import { startRedisCluster } from '../../../../scripts/services/redis-cluster.mjs'
import { ServerHost } from '../../../../scripts/services/server-host.mjs'
import { type Options, openAdapter } from './adapters.js'
import { type Place, redisCluster } from './redis-places.mjs'

export interface OwnCluster {
  readonly nodes: Awaited<ReturnType<typeof startRedisCluster>>['nodes']
  readonly password: string
  readonly place: Place
  /** An adapter for one test. */
  open(options?: Options): ReturnType<typeof openAdapter>
}

/** A cluster for the tests of one file. */
export function ownCluster(options: { primaries?: number; replicas?: number } = {}): OwnCluster {
  let host: ServerHost
  const cluster = {} as { -readonly [name in keyof OwnCluster]: OwnCluster[name] }
  beforeAll(async () => {
    host = await ServerHost.open()
    Object.assign(cluster, await startRedisCluster(host, () => {}, options))
    cluster.place = redisCluster(cluster)
  })
  afterAll(async () => {
    for (const client of [cluster.place.raw, ...cluster.place.clients]) client.disconnect()
    await host.close()
  })
  cluster.open = more => openAdapter({ connection: cluster.place.connection(), ...more } as Options)
  return cluster
}
