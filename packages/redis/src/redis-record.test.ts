import { expect, test } from 'vitest'
import {
  newEpoch,
  tagAndKey,
  taggedRecord,
  tagsIn,
  untaggedRecord,
  valueIn,
} from './redis-record.js'

const VALUES = [[], [0], [0xfe], [0xff, 0xfe], [0x31, 0x30], [1, 2, 3]].map(each =>
  Uint8Array.from(each),
)
const TAGS = [[''], ['a'], ['', 'a'], ['a', 'ab'], ['\0', 'é', 'ÿ', '😀'], ['x'.repeat(70_000)]]

const untagged = (value: Uint8Array): Buffer => {
  const { start, rest } = untaggedRecord(value)
  return Buffer.concat([Buffer.from(start), rest])
}

test('what was stored is read: as long as the fence holds its epoch', () => {
  const epoch = newEpoch()
  const fence = Buffer.from(epoch)
  for (const value of VALUES) {
    expect(valueIn(untagged(value), null)).toEqual(Buffer.from(value))
    expect(valueIn(untagged(value), fence)).toEqual(Buffer.from(value))
    for (const tags of TAGS) {
      const record = taggedRecord(epoch, tags, value)
      expect(valueIn(record, fence)).toEqual(Buffer.from(value))
      expect(valueIn(record, Buffer.from(newEpoch()))).toBeUndefined()
      expect(valueIn(record, Buffer.from(epoch.slice(0, -1)))).toBeUndefined()
      expect(valueIn(record, Buffer.from(`${epoch}x`))).toBeUndefined()
      expect(valueIn(record, null)).toBeUndefined()
    }
  }
  expect(valueIn(null, fence)).toBeUndefined()
})

test('epochs are of one length, begin with the version and are never the same', () => {
  const epochs = Array.from({ length: 10_000 }, newEpoch)
  expect(new Set(epochs).size).toBe(epochs.length)
  for (const epoch of epochs) expect(epoch).toMatch(/^1[\w-]{15}$/)
})

test('what this version does not know is refused, never misread', () => {
  const fence = Buffer.from(newEpoch())
  const record = taggedRecord(fence.toString(), ['t'], Uint8Array.of(1))
  for (const unknown of ['', '2something', '\0', 'x'])
    expect(() => valueIn(Buffer.from(unknown), fence)).toThrow(
      expect.objectContaining({ code: 'L2_SCHEMA_MISMATCH' }),
    )
  expect(() => valueIn(record, Buffer.from(`2${fence.subarray(1)}`))).toThrow(
    expect.objectContaining({ code: 'L2_SCHEMA_MISMATCH' }),
  )
  for (let length = 1; length <= 17; length++)
    expect(() => valueIn(record.subarray(0, length), fence)).toThrow(
      expect.objectContaining({ code: 'L2_CORRUPT_STORE' }),
    )
  expect(() => valueIn(Buffer.from('1abc'), fence)).toThrow(
    expect.objectContaining({ code: 'L2_CORRUPT_STORE' }),
  )
  // Whatever the fence is.
  for (const other of [null, Buffer.from(newEpoch()), Buffer.alloc(0)])
    expect(() => valueIn(Buffer.from('1abc'), other)).toThrow(
      expect.objectContaining({ code: 'L2_CORRUPT_STORE' }),
    )
})

test('the tags of a record are found in its beginning, all or none', () => {
  for (const tags of TAGS.slice(0, -1)) {
    const record = taggedRecord(newEpoch(), tags, Uint8Array.of(0xff, 0xfe, 1))
    expect(tagsIn(record)).toEqual(tags)
    const end = record.indexOf(0xfe)
    expect(tagsIn(record.subarray(0, end + 1))).toEqual(tags)
    expect(tagsIn(record.subarray(0, end))).toEqual([])
  }
  expect(tagsIn(untagged(Uint8Array.of(0x31, 0xff, 0xfe)))).toEqual([])
  expect(tagsIn(Buffer.alloc(0))).toEqual([])
})

test('a member is a tag and a key, whatever they hold', () => {
  for (const tag of ['', 'a', 'é', 'ÿ', '\0'])
    for (const key of ['', 'k', 'ÿ', '😀', '\0'])
      expect(
        tagAndKey(Buffer.concat([Buffer.from(tag), Buffer.of(0xff), Buffer.from(key)])),
      ).toEqual({ tag, key })
})
