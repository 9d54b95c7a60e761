import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { Crew, formatReport, fuzzWith, type Report } from '@l2/fuzz'
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest'
import { newSeed } from '../../core/test/support/random.mjs'
import { lossy, subject, unfenced } from './support/fuzz-subject.mjs'

const seed = newSeed()

function tell(report: Report): void {
  onTestFailed(() => console.error(`${formatReport(report)}\nor L2_SEED=${seed} and this test`))
}

/** With little that could explain a wrong answer. */
const calm = {
  ...subject,
  faults: subject.faults.filter(({ name }) => ['client kill', 'script flush'].includes(name)),
}

/** Bugs that caches in Redis are known to have; the fuzzer's own tests on SQLite have all of them. */
const PLANTS = ['tags-apart', 'forgets-a-tag', 'looks-up-first', 'sends-again', 'failure-is-a-miss']

describe('some processes on one Redis see nothing that the contract forbids', () => {
  let crew: Crew
  beforeAll(async () => {
    crew = await Crew.start(subject.module, 4)
  }, 120_000)
  afterAll(() => crew.end())

  test('where what they are told was written down, while connections and servers break', async () => {
    const report = await fuzzWith(crew, subject, { seed, faults: 1, roundTime: 3_000 })
    tell(report)
    expect([...report.found]).toEqual([])
  }, 300_000)

  test('nor where Redis loses what it can lose: a tag still removes what is left', async () => {
    const report = await fuzzWith(crew, lossy, { seed, faults: 1, roundTime: 3_000 })
    tell(report)
    expect([...report.found]).toEqual([])
  }, 300_000)

  test('which can be seen where there is no fence', async () => {
    const report = await fuzzWith(crew, unfenced, { seed, faults: 5, roundTime: 1_000 })
    tell(report)
    if (report.logs !== undefined) rmSync(dirname(report.logs), { recursive: true })
    expect([...report.found.keys()]).toContain('storage')
    expect([...report.found.keys()]).toContain('stale')
  }, 120_000)

  test.each(PLANTS)(
    'nor a planted bug unfound: %s',
    async plant => {
      const report = await fuzzWith(crew, calm, { seed, plant, seconds: 20, roundTime: 300 })
      tell(report)
      expect(report.found.size).toBeGreaterThan(0)
    },
    120_000,
  )
})
