import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { Keyspace, TAG_BYTES } from './postgres-keys.js'

const PREFIXES = ['', 'a', 'a:', 'app', 'app2', 'a\xff', 'é', '\0', '%', 'l2:', 'l2:l2:']
const NAMES = ['', 'a', ':', '2', '\0', 'é', '\xff', '😀', 'l2:', 'a'.repeat(65_536)]

test('no two pairs of prefix and key have one name, or one hash', () => {
  const rows = PREFIXES.flatMap(prefix => NAMES.map(name => new Keyspace(prefix).row(name)))
  for (const which of ['hash', 'name'] as const)
    expect(new Set(rows.map(row => row[which].toString('hex'))).size).toBe(rows.length)
})

test('no two pairs of prefix and tag have one hash', () => {
  const tags = PREFIXES.flatMap(prefix => NAMES.map(name => new Keyspace(prefix).tag(name)))
  expect(new Set(tags.map(tag => tag.toString('hex'))).size).toBe(tags.length)
})

test('all of a prefix lies in its range, and has its start', () => {
  for (const prefix of PREFIXES) {
    const { first, last, start, row } = keyspace(prefix)
    for (const { hash, name } of NAMES.map(row)) {
      expect(Buffer.compare(first, hash)).toBe(-1)
      expect(Buffer.compare(hash, last)).toBeLessThanOrEqual(0)
      expect(hash.length).toBe(20)
      expect(name.subarray(0, start.length)).toEqual(start)
    }
  }
})

test('what a prefix starts with, nothing of another one does', () => {
  for (const prefix of PREFIXES) {
    const { start } = keyspace(prefix)
    for (const other of PREFIXES.filter(one => one !== prefix)) {
      const { name } = keyspace(other).row('k')
      expect(name.subarray(0, start.length).equals(start)).toBe(false)
    }
  }
})

test('tags are a set', () => {
  const { tags } = keyspace('l2:')
  expect(tags(['a', 'b', 'c'])).toEqual(tags(['c', 'a', 'b']))
  expect(tags(['a', 'b']).length).toBe(2 * TAG_BYTES)
  expect(tags([]).length).toBe(0)
})

function keyspace(prefix: string) {
  const keys = new Keyspace(prefix)
  const { first, last, start } = keys
  return {
    first,
    last,
    start,
    row: (key: string) => keys.row(key),
    tags: (tags: readonly string[]) => keys.tags(tags),
  }
}

test('hashes are the first bytes of SHA-256, as in the tables that are there', () => {
  const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest()
  for (const prefix of PREFIXES) {
    const keys = new Keyspace(prefix)
    for (const name of NAMES) {
      const row = keys.row(name)
      const both = [sha256(keys.start).subarray(0, 4), sha256(row.name).subarray(0, 16)]
      expect(row.hash).toEqual(Buffer.concat(both))
      expect(keys.tag(name)).toEqual(sha256(row.name).subarray(0, TAG_BYTES))
    }
  }
})
