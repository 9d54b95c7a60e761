import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { newPrefix } from './support/adapters.js'
import { redisUrl } from './support/redis-server.mjs'

test.each([
  ['a connection that is not used', ''],
  ['a sweep in the background', 'await new Promise(resolve => setTimeout(resolve, 100))'],
  [
    'a read that was given up',
    'adapter.get("k", { signal: AbortSignal.timeout(1) }).catch(() => {})',
  ],
  ['close()', 'await adapter.close()'],
])('%s does not hold the process', (_, last) => {
  const script = `
    import { RedisAdapter } from '@l2/redis'
    const [url, prefix] = process.argv.slice(1)
    const adapter = new RedisAdapter({ url, prefix, sweepInterval: 10 })
    await Promise.all(Array.from({ length: 100 }, (_, i) =>
      adapter.set('k' + i, new Uint8Array(8), { ttl: 60_000, tags: ['t'] })))
    ${last}
  `
  const args = ['--input-type=module', '-e', script, redisUrl(), newPrefix()]
  const cwd = new URL('.', import.meta.url)
  const child = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 25_000 })
  expect([child.status, child.stderr]).toEqual([0, ''])
})

test('calls that somebody awaits hold the process until they are answered', () => {
  const script = `
    import { RedisAdapter } from '@l2/redis'
    const [url, prefix] = process.argv.slice(1)
    const adapter = new RedisAdapter({ url, prefix })
    adapter.set('k', new Uint8Array(8), { tags: ['t'] })
      .then(() => adapter.get('k')).then(value => console.log(value.length))
  `
  const args = ['--input-type=module', '-e', script, redisUrl(), newPrefix()]
  const cwd = new URL('.', import.meta.url)
  const child = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 25_000 })
  expect([child.status, child.stderr, child.stdout]).toEqual([0, '', '8\n'])
})
