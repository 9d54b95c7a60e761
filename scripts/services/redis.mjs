// @ts-check
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { unpackDebian } from './debian-packages.mjs'
import { execute } from './execute.mjs'
import { findProgram } from './find-program.mjs'
import { startListening } from './start-listening.mjs'

/** What gives a machine a Redis that is found here. */
export const redisRemedy =
  process.platform === 'darwin' ? 'brew install redis' : 'apt-get install redis-server'

/**
 * A throw-away Redis.
 *
 * @param {import('./server-host.mjs').ServerHost} host
 * @param {(line: string) => void} say
 * @returns {Promise<{ url: string, description: string }>}
 */
export async function startRedis(host, say) {
  const { program, env, origin } = await findRedis(say)
  const password = randomBytes(16).toString('hex')
  const port = await startListening(
    port => {
      const folder = join(host.folder, `redis-${port}`)
      mkdirSync(folder)
      const config = join(folder, 'redis.conf')
      // With a password: other users of the machine reach the port too.
      const lines = [
        `port ${port}`,
        'bind 127.0.0.1',
        `requirepass ${password}`,
        'save ""',
        `dir ${folder}`,
      ]
      writeFileSync(config, lines.join('\n'), { mode: 0o600 })
      return host.start({ name: 'redis', file: program, args: [config], env })
    },
    port => pingRedis(redisUrl(port, password)),
  )
  const version = await execute(program, ['--version'], { env: { ...process.env, ...env } })
  const number = /v=([\d.]+)/.exec(version)?.[1]
  return { url: redisUrl(port, password), description: `${number} on port ${port}, ${origin}` }
}

/** Rejects when no Redis answers there. */
export async function pingRedis(/** @type {string} */ url) {
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 3000,
    commandTimeout: 3000,
  })
  // What goes wrong is told by the rejection below.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.ping()
  } finally {
    client.disconnect()
  }
}

/** @param {(line: string) => void} say */
async function findRedis(say) {
  const program = findProgram('redis-server') ?? findProgram('valkey-server')
  if (program) return { program, env: {}, origin: program }
  const unpacked = await unpackDebian('redis-server', say)
  if (!unpacked) throw new Error('no redis-server in PATH')
  const { folder, env } = unpacked
  return { program: join(folder, 'usr/bin/redis-server'), env, origin: `unpacked in ${folder}` }
}

function redisUrl(/** @type {number} */ port, /** @type {string} */ password) {
  return `redis://:${password}@127.0.0.1:${port}`
}
