import { basename } from 'node:path'
import { Redis } from 'ioredis'
import type { Place } from './subject.js'

/** The Redis that all subjects share. `scripts/bench.mjs` starts one where the environment names none. */
export function redisUrl(): string {
  const url = process.env['L2_REDIS_URL']
  if (url === undefined) throw new Error('L2_REDIS_URL is not set: run it by `pnpm bench redis`')
  return url
}

/** What a subject's keys begin with, on the server that all subjects share. */
export const prefixOf = ({ folder }: Place): string => `${basename(folder)}:`

/** Of the server. */
export async function redisVersion(redis: Redis): Promise<string> {
  return /^redis_version:(.*)\r$/m.exec(await redis.info('server'))?.[1] ?? 'unknown'
}

/** How much memory the server's data takes, in bytes. */
export async function usedMemory(): Promise<number> {
  const redis = new Redis(redisUrl())
  try {
    const memory = await redis.info('memory')
    return Number(/^used_memory:(\d+)/m.exec(memory)?.[1])
  } finally {
    redis.disconnect()
  }
}
