import { afterAll } from 'vitest'
import { startRedisCluster } from '../../../scripts/services/redis-cluster.mjs'
import { ServerHost } from '../../../scripts/services/server-host.mjs'
import { testKit } from './support/kit.js'
import { redisCluster } from './support/redis-places.mjs'

const host = await ServerHost.open()
afterAll(() => host.close())

testKit(redisCluster(await startRedisCluster(host, () => {})))
