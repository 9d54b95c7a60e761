import { afterEach, describe, expect, it, vi } from 'vitest'
import { newSeed } from '../../core/test/support/random.mjs'
import { Fences } from '../src/fences.js'
import { runSchedule } from './schedules/schedule.js'

// Repeat one: L2_SEED=123 npx vitest run --project @l2/cache races-random
// More: L2_SCHEDULES=1000000 npx vitest run --project @l2/cache races-random
const SEED = newSeed()
const isReplay = process.env['L2_SEED'] !== undefined
const RUNS = isReplay ? 1 : Number(process.env['L2_SCHEDULES'] ?? 100_000)

afterEach(() => {
  vi.restoreAllMocks()
})

describe('random schedules', () => {
  it(`${RUNS} of them never return what was acknowledged as gone (seed ${SEED})`, {
    timeout: 60_000 + RUNS * 5,
  }, async () => {
    const total = new Map<string, number>()
    let told = Date.now()
    for (let i = 0; i < RUNS; i++) {
      const stats = await runSchedule((SEED + i) >>> 0)
      for (const [name, count] of Object.entries(stats))
        total.set(name, (total.get(name) ?? 0) + count)
      if (Date.now() - told < 30_000) continue
      told = Date.now()
      console.log(`${i + 1} of ${RUNS} schedules`)
    }
    if (isReplay) return
    // They are worth something only while they reach everything.
    const least = {
      l1Hits: 1,
      l2Hits: 0.15,
      joined: 0.5,
      factories: 1,
      failSafes: 0.015,
      refreshes: 0.01,
    }
    for (const [name, each] of Object.entries(least))
      expect((total.get(name) ?? 0) / RUNS, name).toBeGreaterThan(each)
  })

  // What the fences are there against, one thing at a time: the same schedules find each of them.
  const plants: [string, () => void][] = [
    ['nothing is ever outdated', () => on('outdated').mockReturnValue(false)],
    ['a set tells nobody', () => on('replace').mockReturnValue()],
    ['a removal of a key tells nobody', () => silence('deleteKey', 'settleKey')],
    ['a removal by tag tells nobody', () => silence('deleteTag', 'settleTag')],
    ['a removal of everything tells nobody', () => silence('deleteAll', 'settleAll')],
    ['a read is taken for a factory', () => beginAs(false)],
  ]
  it.skipIf(isReplay).each(plants)(
    `a planted bug is found: %s (seed ${SEED})`,
    async (_, plant) => {
      let found: unknown
      plant()
      for (let i = 0; i < 20_000 && found === undefined; i++) {
        await runSchedule((SEED + i) >>> 0).catch((error: unknown) => {
          found = error
        })
      }
      expect(String(found)).toMatch(/L2_SEED=\d+: \w+ [abc] is \d+ < \d+/)
    },
  )
})

const on = <Name extends 'outdated' | 'replace' | 'begin'>(name: Name) =>
  vi.spyOn(Fences.prototype, name)

function silence(
  ...names: ('deleteKey' | 'settleKey' | 'deleteTag' | 'settleTag' | 'deleteAll' | 'settleAll')[]
): void {
  for (const name of names) vi.spyOn(Fences.prototype, name).mockReturnValue({ calls: 1 } as never)
}

function beginAs(reads: boolean): void {
  const { begin } = Fences.prototype
  on('begin').mockImplementation(function (this: Fences, key) {
    return begin.call(this, key, reads)
  })
}
