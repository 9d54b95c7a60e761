import { fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { ChurnOptions, ChurnReport } from './harness/churn.js'
import { versionOf, writePage } from './harness/page.js'
import { withScratch } from './harness/scratch.js'
import { table } from './harness/table.js'

const { values: options } = parseArgs({
  options: {
    processes: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '60' },
    check: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const processes = options.check ? 3 : Number(options.processes)
const seconds = options.check ? 0.5 : Number(options.seconds)

await withScratch(async folder => {
  const sections: string[] = []
  for (const [title, path] of [
    ['One file', join(folder, 'cache.db')],
    // What the stalls are when it is only the processors that are shared.
    ['The same, each in a memory of its own (control)', ':memory:'],
  ] as const) {
    console.error(`${title}: ${seconds} s ...`)
    const reports = await Promise.all(Array.from({ length: processes }, () => run(path)))
    const section = `## ${title}\n\n${tableOf(reports)}`
    console.log(`\n${section}`)
    sections.push(section)
    const failed = reports.some(({ wrong, errors }) => wrong > 0 || Object.keys(errors).length > 0)
    if (failed) process.exitCode = 1
  }
  if (options.write) {
    writePage(
      {
        name: 'sqlite-processes',
        title: 'Several processes on one SQLite file',
        intro: `${processes} processes start at once on a file that is not there, and each reads and writes in 10 loops
for ${seconds} s: 80 % get, 15 % set with 3 tags, 4 % delete, 1 % deleteByTag, of 5 000 keys. Late is a timer of
1 ms beside them, in ms.`,
        versions: { 'better-sqlite3': versionOf('better-sqlite3') },
      },
      [],
      sections,
    )
  }
})

function run(path: string): Promise<ChurnReport> {
  const program = fileURLToPath(new URL('harness/churn.js', import.meta.url))
  const child = fork(program, { serialization: 'advanced' })
  const request: ChurnOptions = { path, ms: seconds * 1_000 }
  child.send(request)
  return new Promise((resolve, reject) => {
    child.once('message', report => resolve(report as ChurnReport))
    child.once('exit', (code, signal) => reject(new Error(`a process ended: ${signal ?? code}`)))
  })
}

function tableOf(reports: readonly ChurnReport[]): string {
  const head = ['process', 'calls', 'errors', 'wrong answers', 'late p50', 'late p99', 'late max']
  const rows = reports.map(({ calls, errors, wrong, late }, at) => [
    `${at + 1}`,
    `${calls}`,
    Object.entries(errors)
      .map(([code, count]) => `${count} ${code}`)
      .join(', ') || '0',
    `${wrong}`,
    late.p50.toFixed(1),
    late.p99.toFixed(1),
    late.max.toFixed(1),
  ])
  return table(head, rows)
}
