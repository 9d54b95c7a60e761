import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PostgresAdapter } from '@l2/postgres'
import { RedisAdapter } from '@l2/redis'
import { onTestFinished } from 'vitest'
import { serverUrl } from '../../../../test/server-url.js'

/** A program of the service, and where its processes of one test live. */
export interface Ground {
  readonly program: string
  readonly folder: string
  readonly env: Record<string, string>
}

/** Of one test: a folder and a prefix that no other has. Both are gone when the test is over. */
export const grounds: Record<string, () => Ground> = {
  SQLite: () => ({ program: 'with-sqlite', ...place() }),
  Postgres: () => {
    const { folder, env } = place()
    const url = serverUrl('L2_POSTGRES_URL')
    clearAfterwards(() => new PostgresAdapter({ url, prefix: env.CACHE_PREFIX }))
    return { program: 'with-postgres', folder, env: { ...env, POSTGRES_URL: url } }
  },
  Redis: () => {
    const { folder, env } = place()
    const url = serverUrl('L2_REDIS_URL')
    clearAfterwards(() => new RedisAdapter({ url, prefix: env.CACHE_PREFIX }))
    return { program: 'with-redis', folder, env: { ...env, REDIS_URL: url } }
  },
}

/** A Redis that nobody reaches: port 1 is reserved, and nothing listens there. */
export const withoutRedis = (): Ground => {
  const { folder, env } = place()
  return { program: 'with-redis', folder, env: { ...env, REDIS_URL: 'redis://127.0.0.1:1' } }
}

function place() {
  const folder = mkdtempSync(join(tmpdir(), 'l2-service-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return { folder, env: { CACHE_PREFIX: `test-${randomUUID()}:` } }
}

function clearAfterwards(open: () => RedisAdapter | PostgresAdapter): void {
  onTestFinished(async () => {
    await using adapter = open()
    await adapter.clear()
  })
}
