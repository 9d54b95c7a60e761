import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { RedisAdapter } from '@l2/redis'
import { Redis } from 'ioredis'
import { eachOf, Keys, someValues, tagsOf } from './harness/keys.js'
import { versionOf, writePage } from './harness/page.js'
import type { Pulse } from './harness/pulse.js'
import { redisUrl, redisVersion } from './harness/redis.js'
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
const PREFIX = 'l2-bench-stalls:'

/** Work on a prefix that is full, and how many entries it leaves. */
interface Job {
  readonly title: string
  readonly left: number
  run(adapter: RedisAdapter): Promise<unknown>
}

const jobs: Job[] = [
  {
    title: 'nothing, for a second',
    left: count,
    run: () => new Promise(resolve => setTimeout(resolve, options.check ? 1 : 1_000)),
  },
  { title: 'deleteByTag', left: 0, run: adapter => adapter.deleteByTag(ALL) },
  { title: 'clear', left: 0, run: adapter => adapter.clear() },
]

const redis = new Redis(redisUrl())
const sections = [await stalls(), await largeValues()]
if (options.write) {
  const server = await redisVersion(redis)
  writePage(
    {
      name: 'redis-stalls',
      title: 'Stalls of Redis by @l2/redis',
      intro: `${count} entries of 1 KiB with 3 tags, and another process that asks the same server for one small
value after the other meanwhile. The worst of ${rounds} rounds, and the median of their totals.`,
      versions: { ioredis: versionOf('ioredis'), Redis: server },
    },
    [],
    sections,
  )
}
redis.disconnect()

/** How long other clients wait while very many entries go. */
async function stalls(): Promise<string> {
  const rows: string[][] = []
  for (const job of jobs) {
    console.error(`${job.title} ...`)
    const runs: (Pulse & { ms: number })[] = []
    for (let round = 0; round < rounds; round++) runs.push(await timed(job))
    const worst = (figure: (run: Pulse) => number): string =>
      Math.max(...runs.map(figure)).toFixed(1)
    const total = median(runs.map(({ ms }) => ms)).toFixed(0)
    rows.push([
      job.title,
      worst(run => run.p50),
      worst(run => run.p99),
      worst(run => run.max),
      total,
    ])
  }
  const head = ['', 'p50', 'p99', 'max', 'total']
  return told(`## How long another client waits for its GET, in ms\n\n${table(head, rows)}`)
}

async function timed(job: Job): Promise<Pulse & { ms: number }> {
  await using adapter = new RedisAdapter({ url: redisUrl(), prefix: PREFIX, sweepInterval: 0 })
  await fill(adapter)
  const pulse = fork(fileURLToPath(new URL('harness/redis-pulse.js', import.meta.url)))
  await once(pulse, 'message')
  const start = performance.now()
  await job.run(adapter)
  const ms = performance.now() - start
  pulse.send('stop')
  const [result]: Pulse[] = await once(pulse, 'message')
  const left = (await keysUnder(`${PREFIX}*}k*`)).length
  if (left !== job.left) throw new Error(`${job.title} left ${left} of ${count} entries`)
  await adapter.clear()
  const residue = await keysUnder(`${PREFIX}*`)
  if (residue.length > 0) throw new Error(`residue: ${residue.join(', ')}`)
  return { ms, ...(result as Pulse) }
}

async function fill(adapter: RedisAdapter): Promise<void> {
  const values = someValues()
  let at = 0
  await eachOf(new Keys('entry', count).all, key => {
    const tags = [ALL, ...tagsOf(key).slice(1)]
    return adapter.set(key, values[at++ % values.length] as Uint8Array, { ttl: 3_600_000, tags })
  })
}

/** What a large value costs the server, which does nothing else meanwhile. */
async function largeValues(): Promise<string> {
  const calls = options.check ? 2 : 50
  const value = Buffer.alloc(2 ** 20, 1)
  await using adapter = new RedisAdapter({ url: redisUrl(), prefix: PREFIX, sweepInterval: 0 })
  const tags = ['a', 'b', 'c']
  const byHand = (key: string) => redis.set(key, value, 'PX', 60_000)
  const ways: [title: string, set: (key: string) => Promise<unknown>][] = [
    ['SET', byHand],
    ['SET (control)', byHand],
    ['set', key => adapter.set(key, value, { ttl: 60_000 })],
    ['set with 3 tags', key => adapter.set(key, value, { ttl: 60_000, tags })],
  ]
  const times = new Map<string, number[]>(ways.map(([title]) => [title, []]))
  for (let round = 0; round <= rounds * 3; round++) {
    for (const [title, set] of ways) {
      const before = await serverTime()
      for (let call = 0; call < calls; call++) await set(`${PREFIX}large:${call}`)
      const took = (await serverTime()) - before
      // The first time, buffers and scripts are not there yet.
      if (round > 0) times.get(title)?.push(took)
    }
  }
  await redis.unlink(await keysUnder(`${PREFIX}large:*`))
  await adapter.clear()
  const of = (title: string): number => median(times.get(title) ?? [])
  const rows = ways.map(([title]) => [title, (of(title) / of('SET')).toFixed(2)])
  return told(
    `## Time of the server for a value of 1 MiB, beside SET\n\n${table(['', 'ratio'], rows)}`,
  )
}

/** What the server's threads have worked so far, in seconds: the way over the network counts too. */
async function serverTime(): Promise<number> {
  const cpu = await infoOf('cpu')
  const seconds = (name: string): number =>
    Number(new RegExp(`^used_cpu_${name}:([\\d.]+)`, 'm').exec(cpu)?.[1])
  return seconds('user') + seconds('sys')
}

function infoOf(section: string): Promise<string> {
  return redis.info(section)
}

async function keysUnder(pattern: string): Promise<string[]> {
  const keys: string[] = []
  for await (const some of redis.scanStream({ match: pattern, count: 1_000 })) keys.push(...some)
  return keys
}

/** Prints a section as soon as it is known. */
function told(section: string): string {
  console.log(`\n${section}`)
  return section
}
