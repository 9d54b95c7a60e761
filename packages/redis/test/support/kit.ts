import { afterAll, expect, test } from 'vitest'
import { kitCases } from './redis-cases.mjs'

/** A test for each case of the kit, and one that none is left out. */
export function testKit(...args: Parameters<typeof kitCases>): void {
  const { cases, stop } = kitCases(...args)
  afterAll(stop)

  for (const { title, skip, run } of cases)
    test(title, { skip: skip !== undefined, timeout: 90_000 }, run)

  test('every case is run', () => {
    expect(cases.filter(({ skip }) => skip !== undefined)).toEqual([])
  })
}
