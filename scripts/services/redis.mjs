// @ts-check
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { unpackDebian } from './debian-packages.mjs'
import { execute } from './execute.mjs'
import { findProgram } from './find-program.mjs'
import { answering, startListening } from './start-listening.mjs'

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
  const { url, port, program, env, origin } = await startRedisServer(host, say)
  const version = await execute(program, ['--version'], { env: { ...process.env, ...env } })
  const number = /v=([\d.]+)/.exec(version)?.[1]
  return { url, description: `${number} on port ${port}, ${origin}` }
}

/**
 * A throw-away Redis with settings of its own, which can be killed and started again on its port.
 *
 * @param {import('./server-host.mjs').ServerHost} host
 * @param {(line: string) => void} say
 * @param {string[]} [settings] lines of redis.conf
 * @param {{ password?: string, args?: string[], find?: typeof findRedis }} [options] `args` come
 *   behind the name of redis.conf
 */
export async function startRedisServer(host, say, settings = [], options = {}) {
  const { password = newPassword(), args = [], find = findRedis } = options
  const { program, env, origin } = await find(say)
  const launch = (/** @type {number} */ port) => {
    const folder = join(host.folder, `redis-${port}`)
    mkdirSync(folder, { recursive: true })
    const config = join(folder, 'redis.conf')
    // With a password: other users of the machine reach the port too.
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `requirepass ${password}`,
      'save ""',
      `dir ${folder}`,
      ...settings,
    ]
    writeFileSync(config, lines.join('\n'), { mode: 0o600 })
    server = host.start({ name: 'redis', file: program, args: [config, ...args], env })
    return server
  }
  /** @type {ReturnType<typeof host.start>} */
  let server
  const ask = (/** @type {number} */ port) => pingRedis(redisUrl(port, password))
  const port = await startListening(launch, ask)
  return {
    url: redisUrl(port, password),
    port,
    password,
    program,
    env,
    origin,
    /** Ends it as a crash would. */
    async kill() {
      if (server.pid !== undefined) process.kill(server.pid, 'SIGKILL')
      await server.ended
    },
    startAgain: () => answering(launch(port), () => ask(port)),
  }
}

export const newPassword = () => randomBytes(16).toString('hex')

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

/**
 * For `startRedisServer`: a Valkey.
 *
 * @param {(line: string) => void} say
 */
export async function findValkey(say) {
  const program = findProgram('valkey-server')
  if (program) return { program, env: {}, origin: program }
  const unpacked = await unpackDebian('valkey-server', say, { backports: true })
  if (!unpacked) throw new Error('no valkey-server in PATH')
  const { folder, env } = unpacked
  return { program: join(folder, 'usr/bin/valkey-server'), env, origin: `unpacked in ${folder}` }
}

function redisUrl(/** @type {number} */ port, /** @type {string} */ password) {
  return `redis://:${password}@127.0.0.1:${port}`
}
