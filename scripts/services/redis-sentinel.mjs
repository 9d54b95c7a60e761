// @ts-check
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { newPassword, startRedisServer } from './redis.mjs'

/** What the Sentinels call the primary. */
const NAME = 'l2-test'

const SENTINELS = 3

/**
 * A throw-away primary with one replica, and three Sentinels that watch them.
 *
 * @param {import('./server-host.mjs').ServerHost} host
 * @param {(line: string) => void} say
 * @param {number} [downAfter] how long the primary may not answer before two of them agree that it is
 *   down, in ms
 */
export async function startRedisSentinels(host, say, downAfter = 500) {
  const password = newPassword()
  const settings = [`masterauth ${password}`, 'repl-diskless-sync-delay 0']
  const primary = await startRedisServer(host, say, settings, { password })
  const behind = [...settings, `replicaof 127.0.0.1 ${primary.port}`]
  const replica = await startRedisServer(host, say, behind, { password })
  const watch = [
    `sentinel monitor ${NAME} 127.0.0.1 ${primary.port} 2`,
    `sentinel auth-pass ${NAME} ${password}`,
    `sentinel down-after-milliseconds ${NAME} ${downAfter}`,
    `sentinel failover-timeout ${NAME} 3000`,
    `sentinel sentinel-pass ${password}`,
  ]
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, () =>
      startRedisServer(host, say, watch, { password, args: ['--sentinel'] }),
    ),
  )
  await Promise.all(sentinels.map(({ url }) => knowsAll(url)))
  return { primary, replica, sentinels, name: NAME, password }
}

/** Resolves when a Sentinel knows the others and the replica: they find each other by the primary. */
async function knowsAll(/** @type {string} */ url) {
  const sentinel = new Redis(url)
  const deadline = Date.now() + 30_000
  try {
    for (;;) {
      const info = await sentinel.info('sentinel')
      if (info.includes(`status=ok`) && info.includes(`slaves=1,sentinels=${SENTINELS}`)) return
      if (Date.now() > deadline) throw new Error('the Sentinels do not find each other')
      await pause(50)
    }
  } finally {
    sentinel.disconnect()
  }
}
