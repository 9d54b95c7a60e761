import { afterAll, describe, expect, test } from 'vitest'
import { kitCases } from './support/sqlite-cases.mjs'

const PROCESSES = 4

const { cases, stop } = kitCases(subject => {
  /** How many handles a namespace has: those of one process are every fourth. */
  const handles = new Map<string, number>()
  const open = (prefix: string) => {
    const number = handles.get(prefix) ?? 0
    handles.set(prefix, number + 1)
    return number % PROCESSES === 0 ? subject.open(prefix) : subject.openElsewhere(prefix)
  }
  return { ...subject, open }
}, PROCESSES - 1)
afterAll(stop)

describe('with handles in four processes', () => {
  for (const { title, skip, run } of cases)
    test(title, { skip: skip !== undefined, timeout: 60_000 }, run)

  test('every case is run', () => {
    expect(cases.filter(({ skip }) => skip !== undefined)).toEqual([])
  })
})
