// @ts-check
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { conformance } from '@l2/core/conformance'
import { RedisAdapter } from '@l2/redis'
import { Child } from '../../../core/test/support/child-process.mjs'
import { RemoteAdapter } from '../../../core/test/support/remote-adapter.mjs'
import { TcpProxy } from '../../../core/test/support/tcp-proxy.mjs'
import { bookkeepingUnder } from './look-inside.mjs'
import { oneRedis } from './redis-places.mjs'
import { redisUrl } from './redis-server.mjs'

/** @typedef {import('./redis-places.mjs').Place} Place */
/** @typedef {Required<Omit<import('@l2/core/conformance').Subject, 'capabilities' | 'deviations' | 'seed'>>} FullSubject */

const PROGRAM = new URL('child.mjs', import.meta.url)

/** Of adapters whose backend is about to hang, in ms: short, since cases wait for it. */
const SHORT_TIMEOUT = 500

/** A killed writer lives at most this long after its first set, in ms: some hundred sets. */
const LONGEST_LIFE = 30

/** The ways to Redis, one for each case, and who breaks them. */
class Routes {
  /** @type {Map<string, Promise<TcpProxy[]>>} */
  #routes = new Map()
  #nodes

  constructor(/** @type {Place} */ { nodes }) {
    this.#nodes = nodes
  }

  /**
   * All namespaces of one case begin alike, and share proxies that no other case uses: they can be
   * broken while others run.
   */
  of(/** @type {string} */ namespace) {
    const [, base] = /^kit:([0-9a-f]{12}):/.exec(namespace) ?? []
    if (base === undefined) throw new Error(`not a namespace of the kit: ${namespace}`)
    const found =
      this.#routes.get(base) ??
      Promise.all(this.#nodes.map(address => new TcpProxy(address).listen()))
    this.#routes.set(base, found)
    return found
  }

  async close() {
    for (const proxies of this.#routes.values())
      for (const proxy of await proxies) await proxy.close()
  }
}

/**
 * RedisAdapter with every hook of the kit.
 *
 * @param {Place} place
 * @param {Routes} routes
 * @param {Child} child where handles of another process are.
 * @param {number} timeout of the adapters, in ms.
 * @returns {FullSubject}
 */
function redisSubject(place, routes, child, timeout) {
  const optionsOf = async (/** @type {string} */ prefix) => {
    const ports = (await routes.of(prefix)).map(({ port }) => port)
    return { connection: place.connection(ports), prefix, timeout }
  }
  const eachProxy = async (
    /** @type {string} */ prefix,
    /** @type {(proxy: TcpProxy) => void} */ act,
  ) => (await routes.of(prefix)).forEach(act)
  const open = async (/** @type {string} */ prefix) => new RedisAdapter(await optionsOf(prefix))
  return {
    open,
    timeout,
    openUnprefixed: () => new RedisAdapter({ connection: place.connection(), prefix: '', timeout }),
    openElsewhere: async prefix => new RemoteAdapter(child, await optionsOf(prefix)),

    residue: prefix => bookkeepingUnder(place.raw, prefix),
    async sweep(prefix) {
      const adapter = await open(prefix)
      await adapter.sweep()
      await adapter.close()
    },

    stall: prefix => eachProxy(prefix, proxy => proxy.stall()),
    cut: prefix => eachProxy(prefix, proxy => proxy.cut()),
    restore: prefix => eachProxy(prefix, proxy => proxy.resume()),

    async crash(prefix, key) {
      const writer = new Child(PROGRAM)
      await writer.ready
      const connectionName = `crash-${randomUUID()}`
      const connection = { ...place.connection(), connectionName }
      await writer.do('setForEver', [{ connection, prefix, timeout }, key])
      await pause(Math.random() * LONGEST_LIFE)
      await writer.kill('SIGKILL')
      // Redis carries out what the kernel has passed on, and then drops the client.
      for (const client of place.clients)
        while (String(await client.client('LIST')).includes(connectionName)) await pause(2)
    },
  }
}

/**
 * All cases of the kit on a real Redis, for whatever runs them.
 *
 * @param {Place} [place]
 * @param {(subject: FullSubject) => FullSubject} [adapt]
 */
export function kitCases(place = oneRedis(redisUrl()), adapt = subject => subject) {
  const routes = new Routes(place)
  const child = new Child(PROGRAM)
  const casesOf = (/** @type {number} */ timeout) =>
    conformance(adapt(redisSubject(place, routes, child, timeout)))
  const hasty = casesOf(SHORT_TIMEOUT)
  const cases = casesOf(5_000).map((one, at) => (one.group === 'stall' && hasty[at]) || one)
  const stop = async () => {
    await child.kill()
    await routes.close()
    for (const client of [place.raw, ...place.clients]) client.disconnect()
  }
  return { cases, stop }
}
