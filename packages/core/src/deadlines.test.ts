import { afterEach, expect, test, vi } from 'vitest'
import { Deadlines } from './deadlines.js'

afterEach(() => vi.useRealTimers())

function started(timeout = 100) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  const passed: string[] = []
  const deadlines = new Deadlines(timeout)
  return { deadlines, passed, set: (name: string) => deadlines.set(() => passed.push(name)) }
}

test('each passes once, at its own time', () => {
  const { passed, set } = started()
  set('a')
  vi.advanceTimersByTime(60)
  set('b')
  set('c')
  vi.advanceTimersByTime(39)
  expect(passed).toEqual([])
  vi.advanceTimersByTime(1)
  expect(passed).toEqual(['a'])
  vi.advanceTimersByTime(60)
  expect(passed).toEqual(['a', 'b', 'c'])
  vi.advanceTimersByTime(1_000)
  expect(passed).toHaveLength(3)
})

test('those taken off never pass, wherever they stand', () => {
  const { deadlines, passed, set } = started()
  const [first, , middle, , last] = ['a', 'b', 'c', 'd', 'e'].map(set)
  for (const one of [middle, first, last]) if (one !== undefined) deadlines.clear(one)
  set('f')
  vi.advanceTimersByTime(100)
  expect(passed).toEqual(['b', 'd', 'f'])
  const again = set('g')
  if (again !== undefined) deadlines.clear(again)
  vi.advanceTimersByTime(99)
  set('h')
  vi.advanceTimersByTime(100)
  expect(passed).toEqual(['b', 'd', 'f', 'h'])
})

test('one that passes may set the next', () => {
  const { passed, set, deadlines } = started()
  deadlines.set(() => set('next'))
  vi.advanceTimersByTime(100)
  expect(passed).toEqual([])
  vi.advanceTimersByTime(100)
  expect(passed).toEqual(['next'])
})

test('a timeout of 0 is none', () => {
  const { passed, set } = started(0)
  expect(set('a')).toBeUndefined()
  vi.advanceTimersByTime(100_000)
  expect(passed).toEqual([])
})

test('those taken off know nothing of the others: one that has grown old keeps none of those after it', () => {
  const { deadlines, set } = started()
  const all = ['a', 'b', 'c'].map(set)
  for (const one of all) if (one !== undefined) deadlines.clear(one)
  expect(all.map(one => [one?.before, one?.after])).toEqual(all.map(() => [undefined, undefined]))
})
