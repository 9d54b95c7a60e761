import { Crew, formatReport, fuzz, fuzzWith, PLANT_NAMES, type Report } from '@l2/fuzz'
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest'
import { newSeed } from '../../core/test/support/random.mjs'
import { bounded, subject } from './support/fuzz-subject.mjs'

const seed = newSeed()

function tell(report: Report): void {
  onTestFailed(() => console.error(`${formatReport(report)}\nor L2_SEED=${seed} and this test`))
}

test('8 processes on one file, with kills and strangers, see nothing that the contract forbids', async () => {
  const report = await fuzz(subject, { seed, workers: 8, seconds: 5, faults: 2, roundTime: 1_500 })
  tell(report)
  expect([...report.found]).toEqual([])
}, 120_000)

test('nor where the oldest entries are evicted', async () => {
  const report = await fuzz(bounded, { seed, workers: 4, operations: 15_000, roundTime: 3_000 })
  tell(report)
  expect([...report.found]).toEqual([])
}, 120_000)

describe('a fuzzer that sees', () => {
  let crew: Crew
  beforeAll(async () => {
    crew = await Crew.start(subject.module, 4)
  })
  afterAll(() => crew.end())

  test.each(PLANT_NAMES)(
    'finds a planted bug: %s',
    async plant => {
      const report = await fuzzWith(crew, subject, { seed, plant, seconds: 20, roundTime: 300 })
      tell(report)
      expect(report.found.size).toBeGreaterThan(0)
    },
    60_000,
  )
})
