// @ts-check
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { conformance } from '@l2/core/conformance'
import { PostgresAdapter } from '@l2/postgres'
import { Child } from '../../../core/test/support/child-process.mjs'
import { RemoteAdapter } from '../../../core/test/support/remote-adapter.mjs'
import { TcpProxy } from '../../../core/test/support/tcp-proxy.mjs'
import { tagRowsUnder } from './look-inside.mjs'
import { postgresUrl, rawPool } from './postgres-server.mjs'

/** @typedef {Required<Omit<import('@l2/core/conformance').Subject, 'capabilities' | 'deviations' | 'seed'>>} FullSubject */

const PROGRAM = new URL('child.mjs', import.meta.url)

/** Of adapters whose backend is about to hang, in ms: short, since cases wait for it. */
const SHORT_TIMEOUT = 500

/** Of all others, in ms: several kits at once on a busy machine take more than the default for 64 MiB. */
const LONG_TIMEOUT = 20_000

/** A killed writer lives at most this long after its first set, in ms: some hundred sets. */
const LONGEST_LIFE = 30

/** The ways to Postgres, one for each case, and who breaks them. */
class Routes {
  /** @type {Map<string, Promise<TcpProxy>>} */
  #routes = new Map()
  #address

  constructor(/** @type {URL} */ { hostname, port }) {
    this.#address = { host: hostname, port: Number(port || 5432) }
  }

  /**
   * All namespaces of one case begin alike, and share a proxy that no other case uses: it can be broken
   * while others run.
   */
  of(/** @type {string} */ namespace) {
    const [, base] = /^kit:([0-9a-f]{12}):/.exec(namespace) ?? []
    if (base === undefined) throw new Error(`not a namespace of the kit: ${namespace}`)
    const found = this.#routes.get(base) ?? new TcpProxy(this.#address).listen()
    this.#routes.set(base, found)
    return found
  }

  async close() {
    for (const proxy of this.#routes.values()) await (await proxy).close()
  }
}

/**
 * PostgresAdapter with every hook of the kit.
 *
 * @param {string} url where adapters connect to: the server, or a pooler in front of it.
 * @param {import('pg').Pool} raw
 * @param {Routes} routes
 * @param {Child} child where handles of another process are.
 * @param {number} timeout of the adapters, in ms.
 * @returns {FullSubject}
 */
function postgresSubject(url, raw, routes, child, timeout) {
  const optionsOf = async (/** @type {string} */ prefix) => {
    const at = new URL(url)
    at.hostname = '127.0.0.1'
    at.port = String((await routes.of(prefix)).port)
    return { url: at.href, prefix, timeout }
  }
  const open = async (/** @type {string} */ prefix) => new PostgresAdapter(await optionsOf(prefix))
  return {
    open,
    timeout,
    openUnprefixed: () => new PostgresAdapter({ url, prefix: '', timeout }),
    openElsewhere: async prefix => new RemoteAdapter(child, await optionsOf(prefix)),

    residue: prefix => tagRowsUnder(raw, prefix),
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
      const name = `crash-${randomUUID()}`
      const connection = { connectionString: postgresUrl(), application_name: name }
      await writer.do('setForEver', [{ connection, prefix, timeout }, key])
      await pause(Math.random() * LONGEST_LIFE)
      await writer.kill('SIGKILL')
      // Postgres carries out what it has got, and then notices.
      const look = () =>
        raw.query('SELECT FROM pg_stat_activity WHERE application_name = $1', [name])
      while (((await look()).rowCount ?? 0) > 0) await pause(2)
    },
  }
}

/**
 * All cases of the kit on a real Postgres, for whatever runs them.
 *
 * @param {(subject: FullSubject) => FullSubject} [adapt]
 */
export function kitCases(adapt = subject => subject, url = postgresUrl()) {
  const raw = rawPool()
  const routes = new Routes(new URL(url))
  const child = new Child(PROGRAM)
  const casesOf = (/** @type {number} */ timeout) =>
    conformance(adapt(postgresSubject(url, raw, routes, child, timeout)))
  const hasty = casesOf(SHORT_TIMEOUT)
  const cases = casesOf(LONG_TIMEOUT).map((one, at) => (one.group === 'stall' && hasty[at]) || one)
  const stop = async () => {
    await child.kill()
    await routes.close()
    await raw.end()
  }
  return { cases, stop }
}
