// @ts-check
// Builds, then runs the benchmarks one after another: all, or those named, as in
// `pnpm bench envelope`. What begins with the first dash goes to them: `pnpm bench sqlite --only get`.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { prepare } from './prepare.mjs'
import { root } from './root.mjs'
import { startPostgresServer } from './services/postgres.mjs'
import { runWithServices } from './services/run-with-services.mjs'
import { ServerHost } from './services/server-host.mjs'

/** Those that need a server. */
const SERVED = /^(redis|postgres|hybrid\.)/

const args = process.argv.slice(2).filter(arg => arg !== '--')
const dash = args.findIndex(arg => arg.startsWith('-'))
const [wanted, options] = dash < 0 ? [args, []] : [args.slice(0, dash), args.slice(dash)]

await prepare(['--filter=@l2/benchmarks...'])
const dist = join(root, 'benchmarks/dist')
const all = readdirSync(dist).filter(file => file.endsWith('.bench.js'))
const files = wanted.length === 0 ? all : wanted.map(name => `${name}.bench.js`)
const unknown = files.filter(file => !all.includes(file))
if (unknown.length > 0) {
  console.error(`no such benchmark: ${unknown.join(', ')}; there are ${all.join(', ') || 'none'}`)
  process.exit(1)
}
for (const file of files) {
  console.log(`\n== ${file.replace('.bench.js', '')}`)
  const args = [join(dist, file), ...options]
  const status = SERVED.test(file)
    ? await withServers(file, args)
    : spawnSync(process.execPath, args, { stdio: 'inherit' }).status
  if (status !== 0) process.exit(status ?? 1)
}

/**
 * @param {string} file
 * @param {string[]} args
 */
async function withServers(file, args) {
  if (!file.startsWith('postgres') || process.env['L2_POSTGRES_URL'])
    return await runWithServices(process.execPath, args)
  // Unlike those of tests it waits for the disk, as one that is used does.
  const host = await ServerHost.open()
  try {
    const { url } = await startPostgresServer(host, console.log, ['fsync=on'])
    const env = { ...process.env, L2_POSTGRES_URL: url }
    return await runWithServices(process.execPath, args, env)
  } finally {
    await host.close()
  }
}
