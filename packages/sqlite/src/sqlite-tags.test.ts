import { expect, test } from 'vitest'
import { decodeTags, encodeTags } from './sqlite-tags.js'

test('equal sets are equal strings', () => {
  expect(encodeTags(['b', 'a', '😀', '\uffff'])).toBe(encodeTags(['\uffff', '😀', 'a', 'b']))
  expect(encodeTags(['a', 'b'])).not.toBe(encodeTags(['a,b']))
  expect(encodeTags([])).toBe('')
  expect(encodeTags([''])).not.toBe('')
})

test.each(['null', '{}', '"a"', '1', '[1]', '["a",null]', '["a"', 'secret'])(
  'a damaged column is a damaged file: %s',
  encoded => {
    expect(() => decodeTags(encoded)).toThrow(expect.objectContaining({ code: 'SQLITE_CORRUPT' }))
  },
)

test('the order of the array that was passed in stays', () => {
  const tags = Object.freeze(['b', 'a'])
  expect(encodeTags(tags)).toBe('["a","b"]')
})

test.each([[], [''], ['\0'], ['"', '\\', '[]'], ['null'], ['\u2028', '😀', '\ufeff']])(
  'what was encoded is decoded: %j',
  (...tags) => {
    expect([...decodeTags(encodeTags(tags))].sort()).toEqual([...tags].sort())
  },
)
