// What a failover costs: counted, and printed by `pnpm test packages/redis/test/failover-cost`. What must
// not happen at any price is a test.
import { setTimeout as pause } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { startRedisSentinels } from '../../../scripts/services/redis-sentinel.mjs'
import { ServerHost } from '../../../scripts/services/server-host.mjs'
import { openAdapter, readable } from './support/adapters.js'
import { startChild } from './support/child.js'
import { bookkeepingUnder, orphansUnder } from './support/look-inside.mjs'
import {
  calmDown,
  connectionBy,
  forceFailover,
  killPrimary,
  primaryOf,
  type Sentinels,
} from './support/sentinels.js'

type Child = Awaited<ReturnType<typeof startChild>>
type Adapter = ReturnType<typeof openAdapter>

/** What a child reports that invalidates. */
interface Work {
  readonly done: readonly Done[]
  readonly failures: readonly string[]
}

interface Done {
  readonly key: string
  readonly last: 'set' | 'delete' | 'deleteByTag'
  readonly at: number
}

/** Calls of some processes, from now on until `finish`. */
function work(children: readonly Child[], options: object, name: string) {
  const reports = Promise.all(
    children.map((child, at) => child.do<Work>('invalidate', [options, `${name} ${at}`])),
  )
  return {
    async finish(): Promise<Work> {
      for (const child of children) await child.do('finish', [])
      const all = await reports
      const done = all.flatMap(report => report.done).sort((a, b) => a.at - b.at)
      return { done, failures: all.flatMap(({ failures }) => failures) }
    },
  }
}

/** Which of the sets were lost, and which of the invalidations are undone. */
async function costOf({ done }: Work, adapter: Adapter) {
  const left = new Set(
    await readable(
      adapter,
      done.map(({ key }) => key),
    ),
  )
  const [sets, invalidations] = [true, false].map(isSet =>
    done.filter(({ last }) => (last === 'set') === isSet),
  ) as [Done[], Done[]]
  const lost = sets.filter(({ key }) => !left.has(key))
  const undone = invalidations.filter(({ key }) => left.has(key))
  return { sets, invalidations, lost, undone, left: [...left] }
}

/** From first to last of them, in ms. */
const spanOf = (all: readonly Done[]): number => {
  const times = all.map(({ at }) => at)
  return times.length === 0 ? 0 : Math.max(...times) - Math.min(...times)
}

/** The longest time without one that succeeded, in ms. */
const longestPause = (all: readonly Done[]): number =>
  Math.max(...all.slice(1).map(({ at }, i) => at - (all[i]?.at ?? at)))

/** How long a primary may not answer before it is taken for dead, in ms: of those that live, for ever. */
const [DEAD_AFTER, LIVES] = [500, 60_000]

/** What it is called, what is done, and how many replicas the primary must have to take writes. */
test.each<[string, (redis: Sentinels) => Promise<void>, number, number]>([
  ['of a primary that is killed', killPrimary, 0, DEAD_AFTER],
  ['forced', forceFailover, 0, LIVES],
  ['forced, with min-replicas-to-write 1', forceFailover, 1, LIVES],
])(
  'a failover, %s: it may undo what was acknowledged last, and leaves no entry that a tag does not remove',
  { timeout: 120_000 },
  async (how, failOver, replicas, deadAfter) => {
    const host = await ServerHost.open()
    onTestFinished(() => host.close())
    const redis = await startRedisSentinels(host, () => {}, deadAfter)
    const before = await primaryOf(redis)
    await before.raw.config('SET', 'min-replicas-to-write', replicas)
    const options = { connection: connectionBy(redis), prefix: 'cost:', timeout: 2_000 }
    const children = await Promise.all([0, 1, 2].map(() => startChild()))

    const meanwhile = work(children, options, 'meanwhile')
    await pause(1_000)
    await failOver(redis)
    await expect
      .poll(async () => (await primaryOf(redis)).port, { timeout: 30_000 })
      .not.toBe(before.port)
    await calmDown(redis)
    await pause(1_500)
    const adapter = openAdapter(options)
    const report = await meanwhile.finish()
    const { sets, invalidations, lost, undone, left } = await costOf(report, adapter)
    const codes = [...new Set(report.failures)].join(', ') || 'none'
    console.log(
      `a failover, ${how}: undone ${undone.length} of ${invalidations.length} invalidations, lost ` +
        `${lost.length} of ${sets.length} sets, acknowledged within ${spanOf([...lost, ...undone])} ms; ` +
        `no call succeeded for ${longestPause(report.done)} ms, ${report.failures.length} failed (${codes})`,
    )
    expect(codes).toMatch(/^(none|L2_(UNAVAILABLE|TIMEOUT|READ_ONLY)(, )?)+$/)

    // From then on nothing is lost.
    const after = work(children, options, 'after')
    await pause(500)
    const later = await costOf(await after.finish(), adapter)
    expect(later.invalidations.length).toBeGreaterThan(0)
    expect([later.lost, later.undone]).toEqual([[], []])

    // What came back answers to its tags, as everything else that is there.
    const { raw } = await primaryOf(redis)
    expect(left.length).toBeGreaterThan(0)
    expect(await orphansUnder(raw, options.prefix)).toEqual([])
    await Promise.all(undone.map(({ key }) => adapter.deleteByTag(key)))
    const rest = left.filter(key => !undone.some(one => one.key === key))
    expect((await readable(adapter, left)).sort()).toEqual(rest.sort())
    await adapter.deleteByTag('all')
    expect(await readable(adapter, left)).toEqual([])
    await adapter.sweep()
    expect(await bookkeepingUnder(raw, options.prefix)).toBe(0)
  },
)
