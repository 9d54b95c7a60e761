import { afterAll, expect, test } from 'vitest'
import { findValkey, startRedisServer } from '../../../scripts/services/redis.mjs'
import { ServerHost } from '../../../scripts/services/server-host.mjs'
import { openClient } from './support/adapters.js'
import { kitCases } from './support/redis-cases.mjs'
import { oneRedis } from './support/redis-places.mjs'

const host = await ServerHost.open()
afterAll(() => host.close())

const valkey = await startRedisServer(host, () => {}, [], { find: findValkey }).catch(String)

if (typeof valkey === 'string')
  test(`the kit is NOT run on Valkey: there is none to be had here (${valkey})`, ({ skip }) =>
    skip())
else {
  const { cases, stop } = kitCases(subject => subject, oneRedis(valkey.url))
  afterAll(stop)

  for (const { title, skip, run } of cases)
    test(title, { skip: skip !== undefined, timeout: 60_000 }, run)

  test('every case is run', () => {
    expect(cases.filter(({ skip }) => skip !== undefined)).toEqual([])
  })

  test('it is a Valkey', async () => {
    expect(await openClient(valkey.url).info('server')).toContain('server_name:valkey')
  })
}
