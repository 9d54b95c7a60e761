// @ts-check
import { randomBytes } from 'node:crypto'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { execute } from './execute.mjs'
import { findPostgres } from './find-postgres.mjs'
import { answering, startListening } from './start-listening.mjs'
import { reachable, unprivilegedAccount } from './unprivileged.mjs'

/** What gives a machine a PostgreSQL that is found here. */
export const postgresRemedy =
  process.platform === 'darwin' ? 'brew install postgresql' : 'apt-get install postgresql'

/**
 * A throw-away PostgreSQL.
 *
 * @param {import('./server-host.mjs').ServerHost} host
 * @param {(line: string) => void} say
 * @returns {Promise<{ url: string, description: string }>}
 */
export async function startPostgres(host, say) {
  const { url, port, bin, as } = await startPostgresServer(host, say)
  const version = await execute(join(bin, 'postgres'), ['--version'])
  const number = /\d[\d.]*/.exec(version)?.[0]
  const account = as ? ` as ${as.name}` : ''
  return { url, description: `${number} on port ${port}${account}, ${bin}` }
}

/**
 * A throw-away PostgreSQL with settings of its own, which can be killed, stopped and started again
 * on its port. Its log has the SQLSTATE of each error.
 *
 * @param {import('./server-host.mjs').ServerHost} host
 * @param {(line: string) => void} say
 * @param {string[]} [settings] such as `work_mem=1MB`
 */
export async function startPostgresServer(host, say, settings = []) {
  const bin = await findPostgres(say)
  const as = unprivilegedAccount()
  const programs = as ? join(reachable(dirname(bin), host.folder), basename(bin)) : bin
  const folder = mkdtempSync(join(host.folder, 'postgres-'))
  // With a password: other users of the machine reach the port too.
  const password = randomBytes(16).toString('hex')
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (as) for (const each of [folder, passwordFile]) chownSync(each, as.uid, as.gid)

  const common = { cwd: folder, env: { LC_ALL: 'C' }, ...(as && { as }) }
  const data = join(folder, 'data')
  await initialize(host, common, programs, data, passwordFile)

  const all = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    'max_connections=200',
    'log_line_prefix=%m [%p] %e ',
    ...settings,
  ]
  /** @type {ReturnType<typeof host.start>[]} */
  const started = []
  const launch = (/** @type {number} */ port) => {
    const server = host.start({
      ...common,
      name: 'postgres',
      file: join(programs, 'postgres'),
      args: ['-D', data, '-p', String(port), ...all.flatMap(setting => ['-c', setting])],
      // Its "fast" stop: SIGTERM would wait for clients to leave.
      stopSignal: 'SIGINT',
    })
    started.push(server)
    return server
  }
  const ask = (/** @type {number} */ port) => pingPostgres(postgresUrl(port, password))
  const port = await startListening(launch, ask)
  const url = postgresUrl(port, password)
  const end = async (/** @type {NodeJS.Signals} */ signal) => {
    const server = started.at(-1)
    if (server?.pid !== undefined) process.kill(server.pid, signal)
    await server?.ended
  }
  return {
    url,
    port,
    password,
    bin,
    as,
    /** All that it has logged since it was made. */
    log: () => started.map(server => server.log()).join(''),
    /** Ends it as a crash would, its children included: they outlive it by a statement else. */
    async kill() {
      const children = await processesOf(url)
      await end('SIGKILL')
      for (const pid of children) killIfThere(pid)
    },
    /** Its "immediate" shutdown: clients are told, nothing is written, so it is a crash of the data. */
    stopAtOnce: () => end('SIGQUIT'),
    /** Its "fast" shutdown: transactions are rolled back, and data is written. */
    stop: () => end('SIGINT'),
    /** @param {{ standby?: boolean }} [options] whether it is to be a server in recovery. */
    async startAgain({ standby = false } = {}) {
      const signal = join(data, 'standby.signal')
      if (standby) writeFileSync(signal, '')
      else rmSync(signal, { force: true })
      await untilChildrenAreGone(() => answering(launch(port), () => ask(port)))
    },
  }
}

/** Rejects when no PostgreSQL answers there. */
export async function pingPostgres(/** @type {string} */ url) {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 3000,
    query_timeout: 3000,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
  } finally {
    await client.end()
  }
}

/**
 * @param {import('./server-host.mjs').ServerHost} host
 * @param {{ cwd: string, env: Record<string, string>, as?: import('./unprivileged.mjs').Account }} common
 * @param {string} programs
 * @param {string} data
 * @param {string} passwordFile
 */
async function initialize(host, common, programs, data, passwordFile) {
  const initdb = host.start({
    ...common,
    name: 'initdb',
    file: join(programs, 'initdb'),
    args: [
      `--pgdata=${data}`,
      '--username=l2',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--no-locale',
      '--no-sync',
    ],
  })
  if ((await initdb.ended).code !== 0) throw new Error(`initdb failed:\n${initdb.logTail()}`)
}

/** The processes that serve connections, and those that help. @returns {Promise<number[]>} */
async function processesOf(/** @type {string} */ url) {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query('select pid from pg_stat_activity')
  await client.end()
  return rows.map(({ pid }) => pid)
}

function killIfThere(/** @type {number} */ pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error
  }
}

/** The memory that killed processes shared is free a moment after they were killed. */
async function untilChildrenAreGone(/** @type {() => Promise<void>} */ start) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      if (!/still in use/.test(String(error)) || attempt === 50) throw error
      await pause(100)
    }
  }
}

function postgresUrl(/** @type {number} */ port, /** @type {string} */ password) {
  return `postgres://l2:${password}@127.0.0.1:${port}/postgres`
}
