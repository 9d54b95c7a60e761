// @ts-check
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { embeddedPostgres } from './embedded-postgres.mjs'
import { execute } from './execute.mjs'
import { findProgram } from './find-program.mjs'
import { startListening } from './start-listening.mjs'
import { isOpenToOthers, unprivilegedAccount } from './unprivileged.mjs'

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
  const found = await findPostgres(say)
  const as = unprivilegedAccount()
  const bin = as ? reachable(found.bin, host.folder) : found.bin
  const folder = join(host.folder, 'postgres')
  mkdirSync(folder, { mode: 0o700 })
  // With a password: other users of the machine reach the port too.
  const password = randomBytes(16).toString('hex')
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (as) for (const each of [folder, passwordFile]) chownSync(each, as.uid, as.gid)

  const common = { cwd: folder, env: { LC_ALL: 'C' }, ...(as && { as }) }
  const data = join(folder, 'data')
  const initdb = host.start({
    ...common,
    name: 'initdb',
    file: join(bin, 'initdb'),
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

  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    'max_connections=200',
  ]
  const port = await startListening(
    port =>
      host.start({
        ...common,
        name: 'postgres',
        file: join(bin, 'postgres'),
        args: ['-D', data, '-p', String(port), ...settings.flatMap(setting => ['-c', setting])],
        // Its "fast" stop: SIGTERM would wait for clients to leave.
        stopSignal: 'SIGINT',
      }),
    port => pingPostgres(postgresUrl(port, password)),
  )
  const version = await execute(join(found.bin, 'postgres'), ['--version'])
  const number = /\d[\d.]*/.exec(version)?.[0]
  const account = as ? ` as ${as.name}` : ''
  const description = `${number} on port ${port}${account}, ${found.bin}`
  return { url: postgresUrl(port, password), description }
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

/** @param {(line: string) => void} say */
async function findPostgres(say) {
  const inPath = findProgram('postgres')
  // Debian keeps servers out of PATH, one folder per version; the newest first.
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian)
    ? readdirSync(debian).sort((a, b) => Number(b) - Number(a))
    : []
  const folders = versions.map(version => join(debian, version, 'bin'))
  if (inPath) folders.unshift(dirname(realpathSync(inPath)))
  const initdb = findProgram('initdb', folders)
  if (initdb) return { bin: dirname(initdb) }
  const embedded = await embeddedPostgres(say)
  if (!embedded) throw new Error('no postgres and initdb on this machine')
  return { bin: join(embedded, 'bin') }
}

/** The same programs where an account other than root gets at them, copied if need be. */
function reachable(/** @type {string} */ bin, /** @type {string} */ folder) {
  if (isOpenToOthers(bin)) return bin
  const copy = join(folder, 'postgres-programs')
  cpSync(dirname(bin), copy, { recursive: true, verbatimSymlinks: true })
  return join(copy, 'bin')
}

function postgresUrl(/** @type {number} */ port, /** @type {string} */ password) {
  return `postgres://l2:${password}@127.0.0.1:${port}/postgres`
}
