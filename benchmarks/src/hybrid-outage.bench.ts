import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Cache } from '@l2/cache'
import { RedisAdapter } from '@l2/redis'
import { withBlackHole } from './harness/black-hole.js'
import { BreakerTimes } from './harness/breaker-times.js'
import { type OwnRedis, withOwnRedis } from './harness/own-redis.js'
import { versionOf, writePage } from './harness/page.js'
import { percentiles } from './harness/percentiles.js'
import { table } from './harness/table.js'
import { type Call, Traffic } from './harness/traffic.js'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    check: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const rounds = options.check ? 1 : Number(options.rounds)
/** How long each state lasts that does not end by itself, in ms. */
const STAY = options.check ? 300 : Number(options.seconds) * 1_000

/** What a `getOrSet` may cost over its factory: `l2Timeouts.soft` as it is by default, and some. */
const DEADLINE = 500 + 50

/** Calls by the state in which they were, and how long the breaker took, in ms. */
interface Run {
  readonly calls: Readonly<Record<string, readonly Call[]>>
  readonly opened?: number
  readonly closed?: number
}

/** What L2 is, and the run of it. */
const cases: Record<string, (redis: OwnRedis) => Promise<Run>> = {
  'no L2 (control)': withoutL2,
  'L2 never answers': () => withBlackHole(neverAnswering),
  'Redis halts and goes on': halting,
}

const { runs, version } = await withOwnRedis(async redis => {
  const runs: Record<string, Run[]> = {}
  for (const [name, run] of Object.entries(cases)) {
    console.error(`${name} ...`)
    const all: Run[] = []
    for (let round = 0; round < rounds; round++) all.push(await run(redis))
    runs[name] = all
  }
  return { runs, version: redis.version }
})
const sections = [told(costs(runs)), told(breakers(runs))]
if (options.write)
  writePage(
    {
      name: 'hybrid-outage',
      title: 'Outages of L2',
      intro: `A getOrSet of a new key every 5 ms, with a factory of about 1 ms, through @l2/cache with its defaults
and @l2/redis. L2 is a server that accepts and never answers, or a Redis of its own that is halted
(SIGSTOP) and goes on. ${rounds} rounds, together; each state that does not end by itself lasts ${STAY / 1_000} s.`,
      versions: { ioredis: versionOf('ioredis'), Redis: version },
    },
    [],
    sections,
  )

async function withoutL2(): Promise<Run> {
  await using cache = new Cache()
  const traffic = new Traffic(cache)
  await sleep(STAY)
  return { calls: { '': await traffic.stop() } }
}

async function neverAnswering(port: number): Promise<Run> {
  await using l2 = new RedisAdapter({ url: `redis://127.0.0.1:${port}` })
  await using cache = new Cache({ l2 })
  const breaker = new BreakerTimes(cache)
  const traffic = new Traffic(cache)
  const start = performance.now()
  const opened = await breaker.opened
  await sleep(STAY)
  const [before = [], after = []] = split(await traffic.stop(), [opened])
  return {
    calls: { 'until the breaker opens': before, 'while it is open': after },
    opened: opened - start,
  }
}

async function halting(redis: OwnRedis): Promise<Run> {
  await using l2 = new RedisAdapter({ url: redis.url })
  await using cache = new Cache({ l2 })
  // What the round before has left.
  await cache.clear()
  const breaker = new BreakerTimes(cache)
  const traffic = new Traffic(cache)
  await sleep(STAY)
  const halted = performance.now()
  redis.halt()
  try {
    const opened = await breaker.opened
    // At any time between two pings.
    await sleep(STAY + Math.random() * 1_500)
    const wentOn = performance.now()
    redis.goOn()
    const closed = await breaker.closed
    await sleep(STAY)
    const calls = await traffic.stop()
    const healthy = calls.filter(({ ended }) => ended < halted)
    const rest = calls.filter(({ ended }) => ended >= halted)
    const [before = [], open = [], after = []] = split(rest, [opened, closed])
    return {
      calls: {
        'before it halts': healthy,
        'until the breaker opens': before,
        'while it is open': open,
        'when it has closed': after,
      },
      opened: opened - halted,
      closed: closed - wentOn,
    }
  } finally {
    redis.goOn()
  }
}

/** Calls by when they began: before the first of the times, between it and the next, and so on. */
function split(calls: readonly Call[], times: readonly number[]): Call[][] {
  const bounds = [...times, Number.POSITIVE_INFINITY]
  return bounds.map((end, at) =>
    calls.filter(({ begun }) => begun < end && begun >= (bounds[at - 1] ?? 0)),
  )
}

function costs(runs: Readonly<Record<string, readonly Run[]>>): string {
  const rows = Object.entries(runs).flatMap(([name, all]) =>
    Object.keys(all[0]?.calls ?? {}).map(state => {
      const over = all.flatMap(({ calls }) => calls[state]?.map(({ over }) => over) ?? [])
      const { p50, p99, max } = percentiles(over)
      const late = over.filter(ms => ms > DEADLINE).length
      const figures = [p50, p99, max].map(ms => ms.toFixed(1))
      return [name, state, `${over.length}`, ...figures, `${late}`]
    }),
  )
  const head = ['', '', 'calls', 'p50', 'p99', 'max', `over ${DEADLINE} ms`]
  return `## What a getOrSet takes beside its factory, in ms\n\n${table(head, rows)}`
}

function breakers(runs: Readonly<Record<string, readonly Run[]>>): string {
  const rows = Object.entries(runs)
    .filter(([, all]) => all.some(({ opened }) => opened !== undefined))
    .map(([name, all]) => {
      const of = (figure: (run: Run) => number | undefined): string => {
        const times = all.map(figure).filter(time => time !== undefined)
        if (times.length === 0) return ''
        const { p50, max } = percentiles(times)
        return `${p50.toFixed(0)} (${max.toFixed(0)})`
      }
      return [name, of(({ opened }) => opened), of(({ closed }) => closed)]
    })
  const head = ['', 'until it opens', 'until it closes, once L2 is back']
  return `## The breaker, in ms: median and worst\n\n${table(head, rows)}`
}

/** Prints a section. */
function told(section: string): string {
  console.log(`\n${section}`)
  return section
}
