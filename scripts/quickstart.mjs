// The README's first command: sets up what a fresh clone lacks, then runs the example.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requireInstalled } from './require-installed.mjs'
import { root } from './root.mjs'

const folder = mkdtempSync(join(tmpdir(), 'l2-quickstart-'))
let child
let stoppedBy

process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
// Caught, so that this process outlives its child and can remove the folder.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    stoppedBy = signal
    child?.kill(signal)
  })
}

try {
  requireInstalled()
  await run('better-sqlite3 does not load', ['scripts/ensure-native.mjs'])
  await build()
  await run('the example failed', [join(root, 'examples/dist/quickstart.js')], { cwd: folder })
} catch (error) {
  console.error(`quickstart: ${stoppedBy ? `stopped by ${stoppedBy}` : error.message}`)
  process.exitCode = 1
}

/** Turbo's own output is for whoever works on l2: here it appears where the build fails. */
async function build() {
  process.stdout.write('Building the packages ... ')
  const start = performance.now()
  const output = []
  const filter = ['--filter=@l2/examples...', '--output-logs=errors-only']
  const args = ['scripts/turbo.mjs', 'run', 'build', ...filter]
  try {
    await run('the build failed', args, { stdio: ['ignore', 'pipe', 'pipe'] }, output)
  } catch (error) {
    console.log(`failed\n${Buffer.concat(output)}`)
    throw error
  }
  console.log(`${((performance.now() - start) / 1000).toFixed(1)} s\n`)
}

async function run(failure, args, options = {}, output = []) {
  await new Promise((resolve, reject) => {
    child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', ...options })
    child.stdout?.on('data', chunk => output.push(chunk))
    child.stderr?.on('data', chunk => output.push(chunk))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0 && !stoppedBy) resolve()
      else reject(new Error(`${failure} (${signal ?? `exit code ${code}`})`))
    })
  })
}
