import { Redis } from 'ioredis'
import pg from 'pg'
import { expect, test } from 'vitest'
import { serverUrl } from './server-url.js'

test('Redis answers PING', async () => {
  const redis = new Redis(serverUrl('L2_REDIS_URL'), { maxRetriesPerRequest: 0 })
  try {
    expect(await redis.ping()).toBe('PONG')
  } finally {
    redis.disconnect()
  }
})

test('PostgreSQL answers SELECT 1', async () => {
  const client = new pg.Client({ connectionString: serverUrl('L2_POSTGRES_URL') })
  try {
    await client.connect()
    const { rows } = await client.query('SELECT 1 AS one')
    expect(rows).toEqual([{ one: 1 }])
  } finally {
    await client.end()
  }
})
