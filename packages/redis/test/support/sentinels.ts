import type { Redis } from 'ioredis'
import type { startRedisSentinels } from '../../../../scripts/services/redis-sentinel.mjs'
import { openClient } from './adapters.js'

export type Sentinels = Awaited<ReturnType<typeof startRedisSentinels>>

/** What adapters are told. */
export const connectionBy = ({ sentinels, name, password }: Sentinels) => ({
  sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
  name,
  password,
  sentinelPassword: password,
})

/** The primary that a Sentinel names, and a client of it for one test. */
export async function primaryOf(redis: Sentinels): Promise<{ port: number; raw: Redis }> {
  const sentinel = openClient(redis.sentinels[0]?.url)
  const answer = await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', redis.name)
  const port = Number((answer as string[])[1])
  return { port, raw: openClient(`redis://:${redis.password}@127.0.0.1:${port}`) }
}

/** Has the Sentinels make the replica the primary while the old one runs on. */
export async function forceFailover(redis: Sentinels): Promise<void> {
  await openClient(redis.sentinels[1]?.url).call('SENTINEL', 'FAILOVER', redis.name)
}

/** Ends the primary as a crash would: the Sentinels have to notice. */
export async function killPrimary(redis: Sentinels): Promise<void> {
  const { port } = await primaryOf(redis)
  await [redis.primary, redis.replica].find(server => server.port === port)?.kill()
}

/** No failover any more because this machine is busy. */
export async function calmDown({ sentinels, name }: Sentinels): Promise<void> {
  for (const { url } of sentinels)
    await openClient(url).call('SENTINEL', 'SET', name, 'down-after-milliseconds', 60_000)
}
