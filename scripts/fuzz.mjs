// @ts-check
// Builds, then runs the fuzzer against a backend: `pnpm fuzz sqlite --seconds 60`.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { prepare } from './prepare.mjs'
import { root } from './root.mjs'

const USAGE = `pnpm fuzz BACKEND [--seconds N] [--operations N] [--faults N] [--workers N]
                  [--seed S] [--plant BUG]

It goes on for N seconds (60), until N operations were made and each fault came N times (1).
The same seed has the workers do the same; how they interleave differs.`

const args = process.argv.slice(2).filter((arg, at) => !(at === 0 && arg === '--'))
const { positionals, values } = parseArgs({
  args,
  allowPositionals: true,
  options: {
    seconds: { type: 'string' },
    operations: { type: 'string' },
    faults: { type: 'string' },
    workers: { type: 'string' },
    seed: { type: 'string' },
    plant: { type: 'string' },
  },
})
const [backend = ''] = positionals
const file = join(root, 'packages', backend, 'test/support/fuzz-subject.mjs')
if (backend === '' || !existsSync(file)) {
  console.error(USAGE)
  process.exit(1)
}
await prepare(['--filter=@l2/fuzz...', `--filter=./packages/${backend}...`])
const { fuzz, formatReport } = await import('@l2/fuzz')
const { subject } = await import(pathToFileURL(file).href)

const { plant, ...numbers } = values
const seconds = values.operations === undefined ? 60 : 0
const options = {
  seed: Math.floor(Math.random() * 2 ** 31),
  seconds,
  ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value)])),
  ...(plant === undefined ? {} : { plant }),
  onProgress: console.log,
}
console.log(`seed ${options.seed}`)
const report = await fuzz(subject, options)
console.log(formatReport(report))
process.exitCode = report.found.size === 0 ? 0 : 1
