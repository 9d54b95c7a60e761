import { expect, test } from 'vitest'
import { Pace } from './postgres-pace.js'

/** Slices that take this long each: how many rows the last of them had. */
function paced(slices: number, ms: (rows: number) => number): number {
  const pace = new Pace()
  for (let i = 0; i < slices; i++) {
    const asked = pace.rows
    pace.after(['0', `${asked}`, `${asked}`, '', '0', `${ms(asked)}`], asked)
  }
  return pace.rows
}

test('slices become as large as 40 ms allow', () => {
  expect(paced(50, rows => rows * 0.1)).toBe(400)
  expect(paced(50, rows => rows * 0.001)).toBe(1_000)
})

test('a server that is slow whatever it is asked for is not asked for few rows at a time', () => {
  expect(paced(50, () => 60)).toBe(128)
  for (let slices = 10; slices < 20; slices++)
    for (const ms of [120, 200, 5_000]) expect(paced(slices, () => ms)).toBeGreaterThanOrEqual(64)
  // Slow, and each row takes its time as well.
  for (let slices = 10; slices < 20; slices++)
    expect(paced(slices, rows => 300 + rows)).toBeGreaterThanOrEqual(64)
})

test('large rows are few in a slice', () => {
  const rows = Array.from({ length: 20 }, (_, i) => paced(30 + i, each => each * 2))
  expect(Math.max(...rows)).toBeLessThanOrEqual(64)
  for (let slices = 40; slices < 50; slices++)
    expect(paced(slices, each => 100 + each * 120)).toBe(8)
})

test('a slice that waited for a lock does not slow down those after it', () => {
  const pace = new Pace()
  pace.after(['0', '32', '32', '', '0', '5000'], 32)
  for (let i = 0; i < 4; i++) {
    const asked = pace.rows
    pace.after(['0', `${asked}`, `${asked}`, '', '0', '1'], asked)
  }
  expect(pace.rows).toBe(1_000)
})
