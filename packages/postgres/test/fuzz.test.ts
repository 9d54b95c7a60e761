import { Crew, formatReport, fuzzWith, type Report } from '@l2/fuzz'
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest'
import { newSeed } from '../../core/test/support/random.mjs'
import { whyNoBouncer } from './support/fuzz-ground.mjs'
import { bouncer, halfLogged, subject, unfenced } from './support/fuzz-subject.mjs'

const seed = newSeed()

/** Enough for some of each kind: one in about 330 is a ping. */
const CALLS = 5_000

const why = await whyNoBouncer()
const real = why === undefined ? [subject, bouncer] : [subject]

if (why !== undefined) {
  // A skipped test alone is a number that nobody reads.
  console.warn(`pgbouncer: none to be had here, so nothing is fuzzed through it: ${why}`)
  test('processes are fuzzed through PgBouncer', ({ skip }) => skip())
}

function tell(report: Report): void {
  onTestFailed(() => console.error(`${formatReport(report)}\nor L2_SEED=${seed} and this test`))
}

let crew: Crew
beforeAll(async () => {
  crew = await Crew.start(subject.module, 4)
}, 120_000)
afterAll(() => crew.end())

test.each(real)(
  'processes see nothing that the contract forbids, and the server no deadlock: $name',
  async one => {
    const report = await fuzzWith(crew, one, { seed, operations: CALLS })
    tell(report)
    expect([...report.found]).toEqual([])
  },
  300_000,
)

describe('a fuzzer that sees', () => {
  test.each([
    ['what is left of tag rows that a crash took, and the entries not', halfLogged],
    ['what comes late if writes that were given up can not be found', unfenced],
  ])(
    'finds %s',
    async (_, buggy) => {
      const report = await fuzzWith(crew, buggy, { seed, seconds: 60, roundTime: 1_000 })
      tell(report)
      expect(report.found.size).toBeGreaterThan(0)
    },
    300_000,
  )

  /** With little that could explain a wrong answer. */
  const calm = (one: typeof subject) => ({
    ...one,
    faults: one.faults.filter(({ name }) => ['terminate', 'vacuum'].includes(name)),
  })

  // Some that caches in Postgres have; SQLite's test has all of them.
  test.each(real.flatMap(where => ['tags-apart', 'sends-again'].map(plant => ({ plant, where }))))(
    'finds a planted bug: $plant in $where.name',
    async ({ plant, where }) => {
      const options = { seed, plant, seconds: 30, roundTime: 1_000 }
      const report = await fuzzWith(crew, calm(where), options)
      tell(report)
      expect(report.found.size).toBeGreaterThan(0)
    },
    180_000,
  )
})
