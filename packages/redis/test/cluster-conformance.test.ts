import { afterAll, expect, test } from 'vitest'
import { startRedisCluster } from '../../../scripts/services/redis-cluster.mjs'
import { ServerHost } from '../../../scripts/services/server-host.mjs'
import { kitCases } from './support/redis-cases.mjs'
import { redisCluster } from './support/redis-places.mjs'

const host = await ServerHost.open()
const cluster = await startRedisCluster(host, () => {})
const { cases, stop } = kitCases(subject => subject, redisCluster(cluster))
afterAll(async () => {
  await stop()
  await host.close()
})

for (const { title, skip, run } of cases)
  test(title, { skip: skip !== undefined, timeout: 60_000 }, run)

test('every case is run', () => {
  expect(cases.filter(({ skip }) => skip !== undefined)).toEqual([])
})
