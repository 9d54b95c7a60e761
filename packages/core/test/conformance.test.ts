import { afterAll, expect, test } from 'vitest'
import { conformance } from '../src/conformance/index.js'
import { MemoryAdapter, MemoryStorage } from '../src/index.js'
import { kitCases } from './support/memory-subject.mjs'

const storage = new MemoryStorage()
for (const { title, skip, run } of conformance({
  open: prefix => new MemoryAdapter({ prefix, storage }),
})) {
  if (skip === undefined) test(`in this process: ${title}`, { timeout: 60_000 }, run)
}

const { cases, stop } = await kitCases()
afterAll(stop)

for (const { title, skip, run } of cases) {
  test(title, { skip: skip !== undefined, timeout: 60_000 }, run)
}

test('every case is run', () => {
  expect(cases.filter(({ skip }) => skip !== undefined)).toEqual([])
})
