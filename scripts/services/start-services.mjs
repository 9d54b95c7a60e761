// @ts-check
import { pingPostgres, postgresRemedy, startPostgres } from './postgres.mjs'
import { pingRedis, redisRemedy, startRedis } from './redis.mjs'
import { ServerHost } from './server-host.mjs'

const services = [
  {
    name: 'redis',
    variable: 'L2_REDIS_URL',
    start: startRedis,
    ping: pingRedis,
    remedy: redisRemedy,
  },
  {
    name: 'postgres',
    variable: 'L2_POSTGRES_URL',
    start: startPostgres,
    ping: pingPostgres,
    remedy: postgresRemedy,
  },
]

/**
 * Sees to it that tests have real servers: those that the environment names, else throw-away ones.
 * Says in one line for each what it used, or what to do. A server that can't be had is no error
 * here: the tests that need it say so themselves, and the others are worth running.
 *
 * @param {(line: string) => void} say
 * @param {NodeJS.ProcessEnv} [given] the environment
 * @returns {Promise<{ env: Record<string, string>, stop: () => Promise<void> }>} the variables that
 *   name the servers
 */
export async function startServices(say, given = process.env) {
  const host = await ServerHost.open()
  /** @type {Record<string, string>} */
  const env = {}
  await Promise.all(
    services.map(async ({ name, variable, start, ping, remedy }) => {
      const tell = (/** @type {string} */ line) => say(`${name}: ${line}`)
      try {
        const named = given[variable]
        if (named) {
          const { host: place } = new URL(named)
          await ping(named).catch(error => {
            throw new Error(`the one of ${variable} at ${place} does not answer (${error.message})`)
          })
          tell(`${variable}, at ${place}`)
          return
        }
        const { url, description } = await start(host, tell)
        env[variable] = url
        tell(description)
      } catch (error) {
        const { message } = /** @type {Error} */ (error)
        const why = message.replace(/\s+/g, ' ').replace(/\.$/, '')
        const todo = `${remedy} (or your system's like), or set ${variable}`
        tell(`none, so tests that need it will fail: ${why}. What to do: ${todo}`)
      }
    }),
  )
  return { env, stop: () => host.close() }
}
