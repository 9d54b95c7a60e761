// @ts-check
// Builds, then runs the fuzzer against a backend: `pnpm fuzz sqlite --seconds 60`.
import { randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { prepare } from './prepare.mjs'
import { root } from './root.mjs'

const USAGE = `pnpm fuzz BACKEND [VARIANT] [--seconds N] [--operations N] [--faults N]
                  [--workers N] [--seed S] [--plant BUG] [--quiet]

It goes on for N seconds (60), until N operations were made and each fault came N times (1).
The same seed has the workers do the same; how they interleave differs. With --quiet nothing is
broken, and it tells how long workers stalled.`

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
    quiet: { type: 'boolean', default: false },
  },
})
const [backend = '', variant] = positionals
const file = join(root, 'packages', backend, 'test/support/fuzz-subject.mjs')
if (backend === '' || !existsSync(file)) {
  console.error(USAGE)
  process.exit(1)
}
await prepare(['--filter=@l2/fuzz...', `--filter=./packages/${backend}...`])
const { formatReport, formatStalls, fuzz, fuzzQuietly } = await import('@l2/fuzz')
const { subjects } = await import(pathToFileURL(file).href)
const name = variant === undefined ? backend : `${backend} ${variant}`
const subject = subjects.find(
  (/** @type {import('@l2/fuzz').Subject} */ each) => each.name === name,
)
if (subject === undefined) {
  console.error(`no such subject: ${name}; there are ${subjects.map(nameOf).join(', ')}`)
  process.exit(1)
}

const { plant, quiet, ...numbers } = values
const options = {
  seed: randomInt(2 ** 31),
  seconds: values.operations === undefined ? 60 : 0,
  ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value)])),
  ...(plant === undefined ? {} : { plant }),
  onProgress: console.log,
}
console.log(`seed ${options.seed}`)
const stalls = quiet ? await fuzzQuietly(subject, options) : undefined
const report = stalls ?? (await fuzz(subject, options))
console.log(formatReport(report))
if (stalls !== undefined) console.log(formatStalls(stalls))
process.exitCode = report.found.size === 0 ? 0 : 1

function nameOf(/** @type {import('@l2/fuzz').Subject} */ subject) {
  return subject.name
}
