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

/** Which cases reject which mutant: in both runs, or in one, where it takes a race. */
export interface Caught {
  readonly always: readonly string[]
  readonly sometimes: readonly string[]
}

const TABLE = new URL('./caught.json', import.meta.url)

/** By mistake. Written by `L2_WRITE_CAUGHT=1`, which runs every case twice, the costly ones once. */
export const caught: Record<string, Caught> = JSON.parse(readFileSync(TABLE, 'utf8'))

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

/** One test for each mutant: it fails the cases that it is known to fail, and no others. */
export function testMutants(mutants: readonly Mutant[]): void {
  const writing = process.env['L2_WRITE_CAUGHT'] !== undefined
  for (const mutant of mutants) {
    const { mistake, caughtBy } = mutant
    test(`${mistake}: rejected by ${caughtBy}`, { timeout: 180_000 }, async () => {
      if (writing) await write(mutant)
      const { always, sometimes } = caught[mistake] ?? { always: [], sometimes: [] }
      const known = [...always, ...sometimes]
      const failed = await failedCases(mutant, id => !COSTLY.has(id) || known.includes(id))
      expect(failed.filter(id => !known.includes(id))).toEqual([])
      // On a busy machine a race may go the other way, and a late read may come too late to see.
      for (let tries = 3; tries > 0 && !failed.includes(caughtBy); tries--)
        failed.push(...(await failedCases(mutant, id => id === caughtBy)))
      expect(failed).toContain(caughtBy)
    })
  }
}

async function write(mutant: Mutant): Promise<void> {
  const [first, second] = [
    await failedCases(mutant),
    await failedCases(mutant, id => !COSTLY.has(id)),
  ]
  const inBoth = (id: string): boolean =>
    COSTLY.has(id) || (first.includes(id) && second.includes(id))
  const all = [...new Set([...first, ...second, mutant.caughtBy])].sort()
  const always = all.filter(inBoth)
  const sometimes = all.filter(id => !inBoth(id))
  // Read again: other workers write too.
  const table = {
    ...JSON.parse(readFileSync(TABLE, 'utf8')),
    [mutant.mistake]: { always, sometimes },
  }
  caught[mutant.mistake] = { always, sometimes }
  const sorted = Object.fromEntries(Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(TABLE, `${JSON.stringify(sorted, null, 2)}\n`)
}
