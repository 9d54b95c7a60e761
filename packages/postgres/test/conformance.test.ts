import { afterAll, expect, test } from 'vitest'
import { kitCases } from './support/postgres-cases.mjs'

const { cases, stop } = kitCases()
afterAll(stop)

for (const { title, skip, run } of cases)
  test(title, { skip: skip !== undefined, timeout: 60_000 }, run)

test('every case is run', () => {
  expect(cases.filter(({ skip }) => skip !== undefined)).toEqual([])
})
