// @ts-check
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { conformance } from '@l2/core/conformance'
import { RedisAdapter } from '@l2/redis'
import { Child } from '../../../core/test/support/child-process.mjs'
import { RemoteAdapter } from '../../../core/test/support/remote-adapter.mjs'
import { bookkeepingUnder } from './look-inside.mjs'
import { RedisProxy } from './redis-proxy.mjs'
import { rawClient, redisAddress, redisUrl, redisUrlAt } from './redis-server.mjs'

/** @typedef {Required<Omit<import('@l2/core/conformance').Subject, 'capabilities' | 'deviations' | 'seed'>>} FullSubject */

const PROGRAM = new URL('child.mjs', import.meta.url)

/** Of adapters whose backend is about to hang, in ms: short, since cases wait for it. */
const SHORT_TIMEOUT = 500

/** A killed writer lives at most this long after its first set, in ms: some hundred sets. */
const LONGEST_LIFE = 30

/** The ways to Redis, one for each case, and who breaks them. */
class Routes {
  /** @type {Map<string, Promise<RedisProxy>>} */
  #routes = new Map()

  /**
   * All namespaces of one case begin alike, and share a proxy that no other case uses: it can be
   * broken while others run.
   */
  of(/** @type {string} */ namespace) {
    const [, base] = /^kit:([0-9a-f]{12}):/.exec(namespace) ?? []
    if (base === undefined) throw new Error(`not a namespace of the kit: ${namespace}`)
    const found = this.#routes.get(base) ?? new RedisProxy(redisAddress()).listen()
    this.#routes.set(base, found)
    return found
  }

  async close() {
    for (const proxy of this.#routes.values()) await (await proxy).close()
  }
}

/**
 * RedisAdapter with every hook of the kit.
 *
 * @param {Routes} routes
 * @param {import('ioredis').Redis} raw
 * @param {Child} child where handles of another process are.
 * @param {number} timeout of the adapters, in ms.
 * @returns {FullSubject}
 */
function redisSubject(routes, raw, child, timeout) {
  const optionsOf = async (/** @type {string} */ prefix) => {
    const { port } = await routes.of(prefix)
    return { url: redisUrlAt(port), prefix, timeout }
  }
  const open = async (/** @type {string} */ prefix) => new RedisAdapter(await optionsOf(prefix))
  return {
    open,
    timeout,
    openUnprefixed: () => new RedisAdapter({ url: redisUrl(), prefix: '', timeout }),
    openElsewhere: async prefix => new RemoteAdapter(child, await optionsOf(prefix)),

    residue: prefix => bookkeepingUnder(raw, prefix),
    async sweep(prefix) {
      const adapter = await open(prefix)
      await adapter.sweep()
      await adapter.close()
    },

    stall: async prefix => (await routes.of(prefix)).stall(),
    cut: async prefix => (await routes.of(prefix)).cut(),
    restore: async prefix => (await routes.of(prefix)).resume(),

    async crash(prefix, key) {
      const writer = new Child(PROGRAM)
      await writer.ready
      const connectionName = `crash-${randomUUID()}`
      const { host, port, username, password } = raw.options
      const connection = { host, port, username, password, connectionName }
      await writer.do('setForEver', [{ connection, prefix, timeout }, key])
      await pause(Math.random() * LONGEST_LIFE)
      await writer.kill('SIGKILL')
      // Redis carries out what the kernel has passed on, and then drops the client.
      while (String(await raw.client('LIST')).includes(connectionName)) await pause(2)
    },
  }
}

/**
 * All cases of the kit on a real Redis, for whatever runs them.
 *
 * @param {(subject: FullSubject) => FullSubject} [adapt]
 */
export function kitCases(adapt = subject => subject) {
  const routes = new Routes()
  const raw = rawClient()
  const child = new Child(PROGRAM)
  const casesOf = (/** @type {number} */ timeout) =>
    conformance(adapt(redisSubject(routes, raw, child, timeout)))
  const hasty = casesOf(SHORT_TIMEOUT)
  const cases = casesOf(5_000).map((one, at) => (one.group === 'stall' && hasty[at]) || one)
  const stop = async () => {
    await child.kill()
    await routes.close()
    raw.disconnect()
  }
  return { cases, stop }
}
