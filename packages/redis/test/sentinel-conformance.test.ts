import { afterAll } from 'vitest'
import { startRedisSentinels } from '../../../scripts/services/redis-sentinel.mjs'
import { ServerHost } from '../../../scripts/services/server-host.mjs'
import { testKit } from './support/kit.js'
import { redisBehindSentinels } from './support/redis-places.mjs'

const host = await ServerHost.open()
afterAll(() => host.close())

// No failover because this machine is busy: failover.test.ts has those.
testKit(redisBehindSentinels(await startRedisSentinels(host, () => {}, 60_000)))
