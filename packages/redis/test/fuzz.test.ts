import { Crew, formatReport, fuzzWith, type Report } from '@l2/fuzz'
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest'
import { newSeed } from '../../core/test/support/random.mjs'
import { cluster, lossy, subject, unarmed, unfenced } from './support/fuzz-subject.mjs'

const seed = newSeed()

/** Enough for some of each kind: one in about 330 is a ping. */
const CALLS = 5_000

function tell(report: Report): void {
  onTestFailed(() => console.error(`${formatReport(report)}\nor L2_SEED=${seed} and this test`))
}

let crew: Crew
beforeAll(async () => {
  crew = await Crew.start(subject.module, 4)
}, 120_000)
afterAll(() => crew.end())

test('processes on a Redis that loses nothing, which hangs and dies with connections cut, see nothing that the contract forbids', async () => {
  const report = await fuzzWith(crew, subject, { seed, operations: CALLS })
  tell(report)
  expect([...report.found]).toEqual([])
}, 300_000)

test('nor where Redis evicts under each policy, forgets and is robbed', async () => {
  const report = await fuzzWith(crew, lossy, { seed, operations: CALLS })
  tell(report)
  expect([...report.found]).toEqual([])
}, 300_000)

test('nor in a cluster whose nodes hang and die, while slots move between them', async () => {
  const report = await fuzzWith(crew, cluster, { seed, operations: CALLS })
  tell(report)
  expect([...report.found]).toEqual([])
}, 300_000)

describe('a fuzzer that sees', () => {
  test.each([
    ['what is left of a lost index if there is no fence', unfenced],
    ['what comes late if a connection that was given up is not ended', unarmed],
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
    faults: one.faults.filter(({ name }) => ['client kill', 'script flush'].includes(name)),
  })

  // Some that caches in Redis have; SQLite's test has all of them.
  test.each([
    { plant: 'tags-apart', where: subject },
    { plant: 'forgets-a-tag', where: subject },
    { plant: 'sends-again', where: subject },
    { plant: 'tags-apart', where: cluster },
  ])(
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
