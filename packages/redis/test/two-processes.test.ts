import { afterAll, describe, expect, test } from 'vitest'
import { kitCases } from './support/redis-cases.mjs'

const { cases, stop } = kitCases(subject => {
  /** How many handles a namespace has: every second one is in the other process. */
  const handles = new Map<string, number>()
  const open = (prefix: string) => {
    const number = (handles.get(prefix) ?? 0) + 1
    handles.set(prefix, number)
    return number % 2 === 1 ? subject.open(prefix) : subject.openElsewhere(prefix)
  }
  return { ...subject, open }
})
afterAll(stop)

describe('with handles in two processes', () => {
  for (const { title, skip, run } of cases)
    test(title, { skip: skip !== undefined, timeout: 90_000 }, run)

  test('every case is run', () => {
    expect(cases.filter(({ skip }) => skip !== undefined)).toEqual([])
  })
})
