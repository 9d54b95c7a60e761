// @ts-check
// pnpm example:service [sqlite|postgres|redis]: two processes of the service, over one L2.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepare } from './prepare.mjs'
import { root } from './root.mjs'
import { startServices } from './services/start-services.mjs'

const [backend = 'sqlite'] = process.argv.slice(2)
if (!['sqlite', 'postgres', 'redis'].includes(backend)) {
  console.error('usage: pnpm example:service [sqlite|postgres|redis]')
  process.exit(2)
}
await prepare(['--filter=@l2/example-service...'])

const folder = mkdtempSync(join(tmpdir(), 'l2-service-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
// Caught, so that this process outlives the service and can remove what it needed.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
/** @type {import('node:child_process').ChildProcess[]} */
const children = []
let isStopping = false

const services = backend === 'sqlite' ? undefined : await startServices(console.log)
try {
  const given = { ...process.env, ...services?.env }
  const urls = { REDIS_URL: given['L2_REDIS_URL'], POSTGRES_URL: given['L2_POSTGRES_URL'] }
  const ends = isStopping
    ? []
    : ['3000', '3001'].map(port => start({ ...given, ...urls, PORT: port }))
  console.log(`
Two processes, http://localhost:3000 and :3001, share a cache in ${backend}. Entries are fresh for
10 s, the origin takes 300 ms for each of a page's two queries. In another terminal:

  curl localhost:3000/products/1                       # runs the factory
  curl localhost:3001/products/1                       # what the other process made
  curl -X PUT -d '{"price":50}' localhost:3001/products/2
  curl localhost:3001/products/1                       # made anew: product 2 is on that page
  curl -X PUT localhost:3000/origin/down               # after 10 s: the stale value, and a warning
  curl 'localhost:3000/products?ids=1,2,3'
  curl localhost:3000/stats; curl localhost:3000/health

Ctrl-C ends both.
`)
  process.exitCode = Math.max(0, ...(await Promise.all(ends)))
} finally {
  await services?.stop()
}

/** One process of the service; resolves with its exit code. */
async function start(/** @type {NodeJS.ProcessEnv} */ env) {
  const file = join(root, `examples/service/dist/with-${backend}.js`)
  // Detached: Ctrl-C reaches it once, by way of this process.
  const options = { cwd: folder, env, stdio: /** @type {const} */ ('inherit'), detached: true }
  const child = spawn(process.execPath, [file], options)
  children.push(child)
  const [code] = await once(child, 'exit')
  stop()
  return code ?? 1
}

/** One process that failed takes the other with it, too. */
function stop() {
  // Once: a second signal while a process ends would be no orderly end.
  if (!isStopping) for (const child of children) child.kill('SIGTERM')
  isStopping = true
}
