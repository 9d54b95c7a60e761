import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { PostgresAdapter } from '@l2/postgres'
import pg from 'pg'
import { eachOf, Keys, someValues, tagsOf } from './harness/keys.js'
import { versionOf, writePage } from './harness/page.js'
import { postgresUrl, STALLS } from './harness/postgres.js'
import type { Pulse } from './harness/pulse.js'
import { table } from './harness/table.js'
import { median } from './ratios.js'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    entries: { type: 'string', default: '100000' },
    minutes: { type: 'string', default: '10' },
    check: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const rounds = options.check ? 1 : Number(options.rounds)
const count = options.check ? 2_000 : Number(options.entries)
const minutes = options.check ? 0.05 : Number(options.minutes)

/** What all entries carry, beside two tags that fewer share. */
const ALL = 'all'

/** Work on tables that are full, and how many entries it leaves, beside that of the other process. */
interface Job {
  readonly title: string
  readonly ttl?: number
  readonly left: number
  run(adapter: PostgresAdapter): Promise<unknown>
}

const jobs: Job[] = [
  {
    title: 'nothing, for a second',
    left: count,
    run: () => new Promise(resolve => setTimeout(resolve, options.check ? 1 : 1_000)),
  },
  { title: 'deleteByTag', left: 0, run: adapter => adapter.deleteByTag(ALL) },
  { title: 'clear', left: 0, run: adapter => adapter.clear() },
  { title: 'sweep, all expired', ttl: 1, left: 0, run: adapter => adapter.sweep() },
]

const client = new pg.Client(postgresUrl())
await client.connect()
const sections = [await stalls(), await plateau()]
if (options.write) {
  const { server_version: version } = await row('SHOW server_version')
  writePage(
    {
      name: 'postgres-stalls',
      title: 'Stalls and sizes of @l2/postgres',
      intro: `${count} entries of 1 KiB with 3 tags, and another process that stores one small entry after the other in
the same tables meanwhile. The worst of ${rounds} rounds, and the median of their totals.`,
      versions: { pg: versionOf('pg'), Postgres: `${version}` },
    },
    [],
    sections,
  )
}
await client.end()

/** How long other processes wait while very many entries go. */
async function stalls(): Promise<string> {
  const lines: string[][] = []
  for (const job of jobs) {
    console.error(`${job.title} ...`)
    const runs: (Pulse & { ms: number })[] = []
    for (let round = 0; round < rounds; round++) runs.push(await timed(job))
    const worst = (figure: (run: Pulse) => number): string =>
      Math.max(...runs.map(figure)).toFixed(1)
    lines.push([
      job.title,
      worst(run => run.p50),
      worst(run => run.p99),
      worst(run => run.max),
      median(runs.map(({ ms }) => ms)).toFixed(0),
    ])
  }
  const head = ['', 'p50', 'p99', 'max', 'total']
  return told(`## How long another process waits for its set, in ms\n\n${table(head, lines)}`)
}

async function timed(job: Job): Promise<Pulse & { ms: number }> {
  await using adapter = open()
  await fill(adapter, job.ttl ?? 3_600_000)
  const other = fork(fileURLToPath(new URL('harness/postgres-pulse.js', import.meta.url)))
  await once(other, 'message')
  const start = performance.now()
  await job.run(adapter)
  const ms = performance.now() - start
  other.send('stop')
  const [result]: Pulse[] = await once(other, 'message')
  const { entries, tags } = await row(`SELECT
    (SELECT count(*) FROM ${STALLS}entries WHERE position('entry:'::bytea IN k) > 0)::int AS entries,
    (SELECT count(*) FROM ${STALLS}tags)::int AS tags`)
  const rest = job.left * 3
  if (entries !== job.left || Number(tags) < rest || Number(tags) > rest + 1)
    throw new Error(`${job.title} left ${entries} of ${count} entries and ${tags} tag rows`)
  await adapter.clear()
  await adapter.sweep()
  return { ms, ...(result as Pulse) }
}

/** What the tables take while entries that live for 5 seconds come and go, and what is left of them. */
async function plateau(): Promise<string> {
  console.error(`entries that live for 5 s, for ${minutes} minutes ...`)
  await client.query(`TRUNCATE ${STALLS}entries, ${STALLS}tags`)
  await using adapter = new PostgresAdapter({
    url: postgresUrl(),
    tablePrefix: STALLS,
    sweepInterval: 5_000,
  })
  const values = someValues()
  const lines: string[][] = []
  const start = Date.now()
  let calls = 0
  const pause = options.check ? 1_000 : 60_000
  let next = start + pause
  const note = async (): Promise<void> => {
    const { mib, entries, tags } = await row(`SELECT
      round((pg_total_relation_size('${STALLS}entries') + pg_total_relation_size('${STALLS}tags')) / 1048576.0, 1)::float8 AS mib,
      (SELECT count(*) FROM ${STALLS}entries)::int AS entries,
      (SELECT count(*) FROM ${STALLS}tags)::int AS tags`)
    const seconds = Math.round((Date.now() - start) / 1_000)
    lines.push([seconds, calls, entries, tags, mib].map(String))
    console.error(`${seconds} s: ${calls} sets, ${entries} rows, ${tags} tag rows, ${mib} MiB`)
  }
  while (Date.now() < start + minutes * 60_000) {
    const name = (i: number): string => `short:${(calls + i) % 1_000_000}`
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        adapter.set(name(i), values[i % values.length] as Uint8Array, {
          ttl: 5_000,
          tags: tagsOf(name(i)),
        }),
      ),
    )
    calls += 50
    // Some 4 000 sets a second, so that there is time for what is to be seen: housekeeping.
    await new Promise(resolve => setTimeout(resolve, 12))
    if (Date.now() < next) continue
    next += pause
    await note()
  }
  await new Promise(resolve => setTimeout(resolve, 5_500))
  await adapter.sweep()
  await note()
  const { entries, tags } = await row(`SELECT
    (SELECT count(*) FROM ${STALLS}entries)::int AS entries, (SELECT count(*) FROM ${STALLS}tags)::int AS tags`)
  if (entries !== 0 || tags !== 0)
    throw new Error(`${entries} entries and ${tags} tag rows are left`)
  const head = ['second', 'sets', 'rows', 'tag rows', 'MiB of tables and indexes']
  return told(
    `## Entries with 3 tags that live for 5 s; at last after a sweep\n\n${table(head, lines)}`,
  )
}

function open(): PostgresAdapter {
  return new PostgresAdapter({ url: postgresUrl(), tablePrefix: STALLS, sweepInterval: 0 })
}

async function fill(adapter: PostgresAdapter, ttl: number): Promise<void> {
  const values = someValues()
  let at = 0
  await eachOf(new Keys('entry', count).all, key => {
    const tags = [ALL, ...tagsOf(key).slice(1)]
    return adapter.set(key, values[at++ % values.length] as Uint8Array, { ttl, tags })
  })
}

async function row(sql: string): Promise<Record<string, unknown>> {
  const { rows } = await client.query(sql)
  return rows[0] ?? {}
}

/** Prints a section as soon as it is known. */
function told(section: string): string {
  console.log(`\n${section}`)
  return section
}
