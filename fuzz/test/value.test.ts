import { expect, test } from 'vitest'
import { bytesOf, recognise } from '../src/value.js'

test.each([1, 20, 25, 26, 27, 1_024, 65_536])('a value of %i bytes tells its write', size => {
  const value = bytesOf(12, '3.4.5#678', size)
  expect(value.length).toBeGreaterThanOrEqual(size)
  expect(recognise(value)).toEqual({ is: 'whole', key: 12, id: '3.4.5#678' })
})

test('a value of no bytes tells nothing', () => {
  expect(recognise(bytesOf(12, '3.4.5#678', 0))).toEqual({ is: 'empty' })
})

test('a value that is not whole is torn', () => {
  const value = bytesOf(1, '0.0.0#1', 1_000)
  const other = bytesOf(1, '0.0.0#2', 1_000)
  const mixed = value.slice()
  mixed.set(other.subarray(500), 500)
  const longer = new Uint8Array(1_001)
  longer.set(value)
  const flipped = value.slice()
  flipped[999] = 0
  for (const torn of [mixed, longer, flipped, value.slice(1), value.slice(0, 999), value.fill(0)])
    expect(recognise(torn)).toMatchObject({ is: 'torn' })
})
