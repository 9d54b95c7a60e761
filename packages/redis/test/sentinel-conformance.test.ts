import { afterAll, expect, test } from 'vitest'
import { startRedisSentinels } from '../../../scripts/services/redis-sentinel.mjs'
import { ServerHost } from '../../../scripts/services/server-host.mjs'
import { kitCases } from './support/redis-cases.mjs'
import { redisBehindSentinels } from './support/redis-places.mjs'

const host = await ServerHost.open()
// No failover because this machine is busy: failover.test.ts has those.
const redis = await startRedisSentinels(host, () => {}, 60_000)
const { cases, stop } = kitCases(subject => subject, redisBehindSentinels(redis))
afterAll(async () => {
  await stop()
  await host.close()
})

for (const { title, skip, run } of cases)
  test(title, { skip: skip !== undefined, timeout: 60_000 }, run)

test('every case is run', () => {
  expect(cases.filter(({ skip }) => skip !== undefined)).toEqual([])
})
