import { onTestFinished } from 'vitest'
import { startRedisServer } from '../../../../scripts/services/redis.mjs'
import { ServerHost } from '../../../../scripts/services/server-host.mjs'

export type OwnServer = Awaited<ReturnType<typeof startRedisServer>>

/** A Redis with settings of its own for one test. @param settings lines of redis.conf. */
export async function ownServer(...settings: string[]): Promise<OwnServer> {
  const host = await ServerHost.open()
  onTestFinished(() => host.close())
  return await startRedisServer(host, () => {}, settings)
}
