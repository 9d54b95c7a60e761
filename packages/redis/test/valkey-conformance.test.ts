import { afterAll, expect, test } from 'vitest'
import { findValkey, startRedisServer } from '../../../scripts/services/redis.mjs'
import { ServerHost } from '../../../scripts/services/server-host.mjs'
import { openClient } from './support/adapters.js'
import { testKit } from './support/kit.js'
import { oneRedis } from './support/redis-places.mjs'

const host = await ServerHost.open()
afterAll(() => host.close())

const valkey = await startRedisServer(host, () => {}, [], { find: findValkey }).catch(String)

if (typeof valkey === 'string') {
  // A skipped test alone is a number that nobody reads.
  console.warn(`valkey: none to be had here, so the kit is NOT run on it: ${valkey}`)
  test('the kit is run on Valkey', ({ skip }) => skip())
} else {
  testKit(oneRedis(valkey.url))

  test('it is a Valkey', async () => {
    expect(await openClient(valkey.url).info('server')).toContain('server_name:valkey')
  })
}
