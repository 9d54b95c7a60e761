// @ts-check
import { chownSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unpackDebian } from './debian-packages.mjs'
import { findProgram } from './find-program.mjs'
import { pingPostgres } from './postgres.mjs'
import { answering, startListening } from './start-listening.mjs'
import { reachable, unprivilegedAccount } from './unprivileged.mjs'

/**
 * A throw-away PgBouncer in transaction mode in front of a Postgres, which can be killed and started
 * again on its port. Whoever may log in there may here, and is its administrator.
 *
 * @param {import('./server-host.mjs').ServerHost} host
 * @param {(line: string) => void} say
 * @param {string} target the URL of the Postgres
 * @param {string[]} [settings] lines of its section `[pgbouncer]`
 */
export async function startPgBouncer(host, say, target, settings = []) {
  const as = unprivilegedAccount()
  const { program, env } = await findPgBouncer(say, as && host.folder)
  const { hostname, port: behind, username, password, pathname } = new URL(target)
  const folder = mkdtempSync(join(host.folder, 'pgbouncer-'))
  const users = join(folder, 'users.txt')
  writeFileSync(users, `"${username}" "${decodeURIComponent(password)}"\n`, { mode: 0o600 })
  if (as) for (const each of [folder, users]) chownSync(each, as.uid, as.gid)

  const urlAt = (/** @type {number} */ port) =>
    `postgres://${username}:${password}@127.0.0.1:${port}${pathname}`
  /** @type {ReturnType<typeof host.start>} */
  let server
  const launch = (/** @type {number} */ port) => {
    const config = join(folder, 'pgbouncer.ini')
    const lines = [
      '[databases]',
      `* = host=${hostname} port=${behind || 5432}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = scram-sha-256',
      `auth_file = ${users}`,
      `admin_users = ${username}`,
      'pool_mode = transaction',
      'max_client_conn = 500',
      ...settings,
    ]
    writeFileSync(config, lines.join('\n'))
    server = host.start({
      name: 'pgbouncer',
      file: program,
      args: [config],
      cwd: folder,
      env,
      ...(as && { as }),
    })
    return server
  }
  const ask = (/** @type {number} */ port) => pingPostgres(urlAt(port))
  const port = await startListening(launch, ask)
  return {
    url: urlAt(port),
    port,
    log: () => server.log(),
    /** Ends it as a crash would. */
    async kill() {
      if (server.pid !== undefined) process.kill(server.pid, 'SIGKILL')
      await server.ended
    },
    startAgain: () => answering(launch(port), () => ask(port)),
  }
}

/**
 * @param {(line: string) => void} say
 * @param {string} [open] a folder that every account may enter, if others than this one are to run it
 */
async function findPgBouncer(say, open) {
  const inPath = findProgram('pgbouncer') ?? findProgram('pgbouncer', ['/usr/sbin'])
  if (inPath) return { program: inPath, env: {} }
  const unpacked = await unpackDebian('pgbouncer', say)
  if (!unpacked) throw new Error('no pgbouncer in PATH')
  const { folder, env } = unpacked
  const root = open ? reachable(folder, open) : folder
  const libraries = env['LD_LIBRARY_PATH']?.replaceAll(folder, root) ?? ''
  return { program: join(root, 'usr/sbin/pgbouncer'), env: { LD_LIBRARY_PATH: libraries } }
}
