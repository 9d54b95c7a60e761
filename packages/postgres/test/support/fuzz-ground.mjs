// @ts-check
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { startPgBouncer } from '../../../../scripts/services/pgbouncer.mjs'
import { pingPostgres, startPostgresServer } from '../../../../scripts/services/postgres.mjs'
import { ServerHost } from '../../../../scripts/services/server-host.mjs'
import { TcpProxy } from '../../../core/test/support/tcp-proxy.mjs'
import { postgresUrl } from './postgres-server.mjs'

/**
 * @typedef {{ bouncer?: boolean, sql?: readonly string[] }} Setup
 *   Whether a PgBouncer is in between, and what is done to the server before anybody comes.
 */

/** Short: a deadlock is to be found before those in haste give up. */
const SERVER = ['deadlock_timeout=50ms', 'autovacuum_naptime=1s']

/** Where Postgres was restarted, it is looked for again at once. */
const BOUNCER = ['server_login_retry = 1']

/** In which what was broken has to work again, in ms. */
const PATIENCE = 20_000

/**
 * What servers log when they are treated as here: told to stop, or told to stop something, or left by
 * their clients; and where tables are looked for before they are made.
 */
const EXPECTED = /^(00000|01|02|57P0|57014|08|42P01|3F000|28000)/

/**
 * A Postgres that the rounds of one run share, as making one takes as long as a round, and the ways to
 * it: the direct one, a proxy, and a proxy for those in haste.
 */
export class Ground {
  #logged = 0

  static async open(/** @type {Setup} */ { bouncer = false, sql = [] }) {
    const host = await ServerHost.open()
    const server = await startPostgresServer(host, () => {}, SERVER)
    const pooler = bouncer ? await startPgBouncer(host, () => {}, server.url, BOUNCER) : undefined
    const target = { host: '127.0.0.1', port: (pooler ?? server).port }
    const [proxy, hastyProxy] = [new TcpProxy(target), new TcpProxy(target)]
    await Promise.all([proxy.listen(), hastyProxy.listen()])
    const ground = new Ground(host, server, pooler, proxy, hastyProxy)
    await ground.asStranger(async raw => {
      for (const statement of sql) await raw.query(statement)
    })
    return ground
  }

  /**
   * @private
   * @param {ServerHost} host
   * @param {Awaited<ReturnType<typeof startPostgresServer>>} server
   * @param {Awaited<ReturnType<typeof startPgBouncer>> | undefined} pooler
   * @param {TcpProxy} proxy
   * @param {TcpProxy} hastyProxy
   */
  constructor(host, server, pooler, proxy, hastyProxy) {
    this.host = host
    this.server = server
    this.pooler = pooler
    this.proxy = proxy
    this.hastyProxy = hastyProxy
  }

  /** Where adapters connect to that take a way: the direct one ends at the pooler where there is one. */
  urlAt(port = (this.pooler ?? this.server).port) {
    const url = new URL(this.server.url)
    url.port = String(port)
    return url.href
  }

  /**
   * Does something as another program, which knows nothing of the adapters, with the server itself.
   *
   * @template T
   * @param {(raw: pg.Client) => Promise<T>} work
   */
  asStranger(work) {
    return withSession(this.server.url, work)
  }

  /**
   * Does something as the administrator of the PgBouncer.
   *
   * @param {(admin: pg.Client) => Promise<void>} work
   */
  asAdministrator(work) {
    const url = new URL(this.urlAt())
    url.pathname = '/pgbouncer'
    return withSession(url.href, work)
  }

  /** Waits until calls get through again. */
  async works() {
    const end = performance.now() + PATIENCE
    for (;;) {
      try {
        return await pingPostgres(this.urlAt())
      } catch (error) {
        if (performance.now() > end) throw error
        await pause(20)
      }
    }
  }

  /** What the server has logged since it was last asked that it never should: deadlocks above all. */
  complaints() {
    const log = this.server.log()
    const lines = log.slice(this.#logged).split('\n')
    this.#logged = log.length
    return lines.flatMap((line, at) => {
      const [, state = ''] = /\] (\w{5}) (?:ERROR|FATAL|PANIC):/.exec(line) ?? []
      if (state === '' || EXPECTED.test(state)) return []
      return [`the server logged:\n${lines.slice(at, at + 12).join('\n')}`]
    })
  }

  async close() {
    for (const proxy of [this.proxy, this.hastyProxy]) await proxy.close()
    await this.host.close()
  }
}

/** Why there is no PgBouncer to be had on this machine, if there is none. */
export async function whyNoBouncer() {
  const host = await ServerHost.open()
  try {
    await startPgBouncer(host, () => {}, postgresUrl())
    return undefined
  } catch (error) {
    return String(error)
  } finally {
    await host.close()
  }
}

/**
 * @template T
 * @param {string} url
 * @param {(raw: pg.Client) => Promise<T>} work
 */
async function withSession(url, work) {
  const raw = new pg.Client({ connectionString: url })
  raw.on('error', () => {})
  await raw.connect()
  try {
    return await work(raw)
  } finally {
    await raw.end().catch(() => {})
  }
}
