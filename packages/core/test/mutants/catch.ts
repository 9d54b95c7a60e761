import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { conformance } from '../../src/conformance/index.js'
import type { Mutant } from './mutant.js'
import { type Parts, subjectOf } from './twin.js'

/** Cases that take most of the time; only mutants that they catch have to run them. */
const COSTLY: ReadonlySet<string> = new Set([
  'values.64-mib',
  'values.16-mib',
  'tags.many-entries',
  'isolation.clear-takes-all',
  'abort.bulk-can-be-repeated',
  'bulk.deleteByTag-ends',
  'bulk.clear-ends',
  'bulk.others-stay',
  'bulk.calls-go-on',
])

/** Cases run at once: most of them wait. */
const LANES = 4

const TABLE = new URL('./caught.json', import.meta.url)

/**
 * The ids of the cases that reject a mutant, by its mistake. Written by `L2_WRITE_CAUGHT=1`: a run
 * of all cases but the costly ones, unless one of these is the mutant's own.
 */
export const caught: Record<string, readonly string[]> = JSON.parse(readFileSync(TABLE, 'utf8'))

/** The ids of the cases that an adapter fails, of those that `include` lets run. */
export async function failedCases(
  parts: Parts,
  include: (id: string) => boolean = () => true,
): Promise<string[]> {
  const places = conformance(subjectOf(parts, '')).flatMap(({ id, group }, at) =>
    include(id) ? [{ at, group }] : [],
  )
  const failed: string[] = []
  const lane = async (): Promise<void> => {
    for (let next = places.shift(); next !== undefined; next = places.shift()) {
      // A subject for each case, so that no broken one spoils another.
      const one = conformance(subjectOf(parts, next.group))[next.at]
      await one?.run().catch(() => failed.push(one.id))
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return failed.sort()
}

/**
 * One test for each mutant: the case of its own rule rejects it, and it passes all cases of the
 * groups that its mistake does not touch.
 */
export function testMutants(mutants: readonly Mutant[]): void {
  const writing = process.env['L2_WRITE_CAUGHT'] !== undefined
  for (const mutant of mutants) {
    const { mistake, caughtBy, anywhere } = mutant
    test(`${mistake}: rejected by ${caughtBy}`, { timeout: 180_000 }, async () => {
      const failed = await failedCases(mutant, id => !COSTLY.has(id) || id === caughtBy)
      // On a busy machine a race may go the other way, and a late read may come too late to see.
      for (let tries = 3; tries > 0 && !failed.includes(caughtBy); tries--)
        failed.push(...(await failedCases(mutant, id => id === caughtBy)))
      expect(failed).toContain(caughtBy)
      if (writing) write(mistake, failed)
      if (anywhere) return
      // By group, for the same reason: of the cases that need a race, now one, now another sees it.
      const groups = new Set(caught[mistake]?.map(groupOf))
      expect(failed.filter(id => !groups.has(groupOf(id)))).toEqual([])
    })
  }
}

const groupOf = (id: string): string => id.slice(0, id.indexOf('.'))

function write(mistake: string, failed: readonly string[]): void {
  caught[mistake] = [...new Set(failed)].sort()
  // Read again: other workers write too.
  const table = { ...JSON.parse(readFileSync(TABLE, 'utf8')), [mistake]: caught[mistake] }
  const sorted = Object.fromEntries(Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(TABLE, `${JSON.stringify(sorted, null, 2)}\n`)
}
