import { copyFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SqliteAdapter } from '@l2/sqlite'
import Database from 'better-sqlite3'
import { eachOf, Keys, someValues, tagsOf } from './harness/keys.js'
import { type Late, Lateness } from './harness/lateness.js'
import { versionOf, writePage } from './harness/page.js'
import { withScratch } from './harness/scratch.js'
import { table } from './harness/table.js'
import { median } from './ratios.js'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    entries: { type: 'string', default: '100000' },
    check: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const rounds = options.check ? 1 : Number(options.rounds)
const count = options.check ? 2_000 : Number(options.entries)

/** What all entries carry, beside two tags that fewer share. */
const ALL = 'all'

/** Work on a file that is full. */
interface Job {
  readonly title: string
  readonly ttl?: number
  /** As `maxBytes`, how much of the full file it may keep. */
  readonly share?: number
  run(adapter: SqliteAdapter): Promise<unknown>
}

const idle: Job = {
  title: 'nothing, for a second',
  run: () => new Promise(resolve => setTimeout(resolve, options.check ? 1 : 1_000)),
}

const jobs: Job[] = [
  idle,
  { title: 'deleteByTag', run: adapter => adapter.deleteByTag(ALL) },
  { title: 'clear', run: adapter => adapter.clear() },
  { title: 'sweep, all expired', ttl: 1, run: adapter => adapter.sweep() },
  { title: 'eviction down to a tenth', share: 0.1, run: adapter => adapter.sweep() },
]

const written = new Set<string>()

await withScratch(async folder => {
  const rows: string[][] = []
  for (const job of jobs) {
    console.error(`${job.title} ...`)
    const full = await filled(join(folder, `full-${job.ttl ?? 0}.db`), job.ttl ?? 0)
    const runs: (Late & { ms: number })[] = []
    for (let round = 0; round < rounds; round++) {
      const path = join(folder, 'cache.db')
      copyFileSync(full, path)
      runs.push(await timed(job, path))
    }
    const worst = (figure: (run: Late) => number): string =>
      Math.max(...runs.map(figure)).toFixed(1)
    rows.push([
      job.title,
      worst(late => late.p50),
      worst(late => late.p99),
      worst(late => late.max),
      median(runs.map(({ ms }) => ms)).toFixed(0),
    ])
  }
  const head = ['', 'p50', 'p99', 'max', 'total']
  const section = `## How late a timer of 1 ms is, in ms\n\n${table(head, rows)}`
  console.log(`\n${section}`)
  if (options.write) {
    writePage(
      {
        name: 'sqlite-stalls',
        title: 'Stalls of @l2/sqlite',
        intro: `${count} entries of 1 KiB with 3 tags; a timer of 1 ms in the process that removes them all. The worst
of ${rounds} rounds, and the median of their totals.`,
        versions: { 'better-sqlite3': versionOf('better-sqlite3') },
      },
      [],
      [section],
    )
  }
})

/** A closed file that holds all entries. */
async function filled(path: string, ttl: number): Promise<string> {
  if (written.has(path)) return path
  written.add(path)
  await using adapter = new SqliteAdapter({ path, sweepInterval: 0 })
  const values = someValues()
  let at = 0
  await eachOf(new Keys('entry', count).all, key => {
    const tags = [ALL, ...tagsOf(key).slice(1)]
    return adapter.set(key, values[at++ % values.length] as Uint8Array, { ttl, tags })
  })
  return path
}

function entriesIn(path: string): number {
  const db = new Database(path, { readonly: true })
  try {
    return db.prepare<[], number>('SELECT count(*) FROM entry').pluck().get() ?? 0
  } finally {
    db.close()
  }
}

async function timed(job: Job, path: string): Promise<Late & { ms: number }> {
  const { share = 1 } = job
  const maxBytes = share === 1 ? undefined : Math.max(2 ** 20, statSync(path).size * share)
  await using adapter = new SqliteAdapter({ path, sweepInterval: 0, maxBytes })
  // Opening the file is no part of it.
  await adapter.ping()
  const start = performance.now()
  const lateness = new Lateness()
  await job.run(adapter)
  const result = { ms: performance.now() - start, ...lateness.stop() }
  const left = entriesIn(path)
  const right =
    job === idle ? left === count : job.share ? left > 0 && left < count / 2 : left === 0
  if (!right) throw new Error(`${job.title} left ${left} of ${count} entries`)
  return result
}
