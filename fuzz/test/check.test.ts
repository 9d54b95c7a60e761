import { describe, expect, test } from 'vitest'
import { check } from '../src/check.js'
import { MS } from '../src/clock.js'
import type { Allowances } from '../src/history.js'
import { Script } from './support/script.js'

const findingsIn = (script: Script, allowances: Partial<Allowances> = {}) => [
  ...check(script.history(), { timeout: 5_000, ...allowances }),
]

type Scene = readonly [title: string, write: (script: Script) => void]

function accepts(title: string, write: (script: Script) => void): void {
  test(`accepts ${title}`, () => {
    const script = new Script()
    write(script)
    expect(findingsIn(script)).toEqual([])
  })
}

function rejects(rule: string, title: string, write: (script: Script) => void): void {
  test(`rejects ${title}`, () => {
    const script = new Script()
    write(script)
    expect(findingsIn(script).map(finding => finding.rule)).toContain(rule)
  })
}

describe('reads of what was overwritten or removed', () => {
  const removals: Scene[] = [
    ['a set', script => script.set('b', [20, 30])],
    ['a delete', script => script.delete('b', [20, 30])],
    ['a deleteByTag', script => script.deleteByTag('b', [20, 30], 1)],
    ['a clear', script => script.clear('b', [20, 30])],
  ]
  for (const [name, remove] of removals) {
    rejects('stale', `a value after an acknowledged ${name.slice(2)}`, script => {
      const set = script.set('a', [0, 10], { tags: [1] })
      remove(script)
      script.get('c', [31, 40], set)
    })
    accepts(`a value during ${name}`, script => {
      const set = script.set('a', [0, 10], { tags: [1] })
      remove(script)
      script.get('c', [29, 40], set)
    })
    accepts(`a value of a set that overlaps ${name}`, script => {
      const set = script.set('a', [0, 21], { tags: [1] })
      remove(script)
      script.get('c', [31, 40], set)
    })
  }

  accepts('an entry without the tag after a deleteByTag', script => {
    const set = script.set('a', [0, 10], { tags: [2] })
    script.deleteByTag('b', [20, 30], 1)
    script.get('c', [31, 40], set)
  })
  rejects('stale', 'an entry that was set with its tag by a process that was killed', script => {
    const set = script.set('a', [0], { tags: [1] })
    script.killed('a', 10)
    script.deleteByTag('b', [20, 30], 1)
    script.get('c', [31, 40], set)
  })
  accepts('a value whose removal was never answered', script => {
    const set = script.set('a', [0, 10])
    script.delete('b', [20])
    script.killed('b', 100)
    script.get('c', [31, 40], set)
  })
  rejects('stale', 'zero bytes after an acknowledged delete', script => {
    script.set('a', [0, 10], { size: 0 })
    script.delete('b', [20, 30])
    script.get('c', [31, 40], 'empty')
  })
  accepts('zero bytes that any of two sets wrote', script => {
    script.set('a', [0, 10], { size: 0 })
    script.delete('b', [20, 30])
    script.set('a', [25, 35], { size: 0 })
    script.get('c', [36, 40], 'empty')
  })
})

describe('values that come back', () => {
  rejects('ghost', 'a value that was read again after it had been gone', script => {
    const set = script.set('a', [0, 10])
    script.delete('b', [20])
    script.killed('b', 100)
    script.get('c', [30, 40], 'miss')
    script.get('d', [41, 50], set)
  })
  rejects('ghost', 'an older value after a newer one', script => {
    const set = script.set('a', [0, 10])
    const newer = script.set('b', [20, 100])
    script.get('c', [30, 40], newer)
    script.get('d', [41, 50], set)
  })
  accepts('an older value of a read that overlaps that of a newer one', script => {
    const set = script.set('a', [0, 10])
    const newer = script.set('b', [20, 100])
    script.get('c', [30, 40], newer)
    script.get('d', [39, 50], set)
  })
})

describe('misses', () => {
  rejects('lost', 'a miss of what nothing removed', script => {
    script.set('a', [0, 10])
    script.get('b', [11, 20], 'miss')
  })
  accepts('a miss before the set was acknowledged', script => {
    script.set('a', [0, 10])
    script.get('b', [9, 20], 'miss')
  })
  rejects('lost', 'a miss of a value that was seen of a killed process', script => {
    const set = script.set('a', [0])
    script.killed('a', 10)
    script.get('b', [11, 20], set)
    script.get('b', [21, 30], 'miss')
  })
  accepts('a miss after a delete that was never answered', script => {
    script.set('a', [0, 10])
    script.delete('b', [20])
    script.killed('b', 100)
    script.get('c', [31, 40], 'miss')
  })
  rejects('lost', 'a miss after a delete before the set', script => {
    script.delete('b', [0, 10])
    script.set('a', [11, 20])
    script.get('c', [31, 40], 'miss')
  })
  rejects('lost', 'a miss after a delete of a process that was killed before the set', script => {
    script.delete('b', [0])
    script.killed('b', 10)
    script.set('a', [11, 20])
    script.get('c', [31, 40], 'miss')
  })
  accepts('a miss after a delete of a process that was killed after the set began', script => {
    script.delete('b', [0])
    script.killed('b', 12)
    script.set('a', [11, 20])
    script.get('c', [31, 40], 'miss')
  })
  test('bounds what a call may do that was given up', () => {
    const script = new Script()
    script.delete('b', [0, 5], { is: 'aborted' })
    script.set('a', [11, 20])
    script.get('c', [31, 40], 'miss')
    expect(findingsIn(script, { givenUp: 7 })).toEqual([])
    expect(findingsIn(script, { givenUp: 5 }).map(({ rule }) => rule)).toEqual(['lost'])
    expect(findingsIn(script)).toEqual([])
  })
  const crash = { name: 'crash', begin: 12 * MS, end: 15 * MS, loses: true }
  accepts('a miss after a crash that may lose entries', script => {
    script.set('a', [0, 10])
    script.incidents.push(crash)
    script.get('c', [31, 40], 'miss')
  })
  rejects('lost', 'a miss of what was set after that crash', script => {
    script.incidents.push(crash)
    script.set('a', [16, 20])
    script.get('c', [31, 40], 'miss')
  })
  test('knows how long a server goes on for a client that is gone', () => {
    const script = new Script()
    script.delete('b', [0])
    script.killed('b', 10)
    script.set('a', [15, 20])
    script.get('c', [31, 40], 'miss')
    expect(findingsIn(script, { lingering: 6 })).toEqual([])
    expect(findingsIn(script, { lingering: 4 }).map(({ rule }) => rule)).toEqual(['lost'])
  })
  rejects('lost', 'a deleteByTag that removed what did not carry the tag', script => {
    script.set('a', [0, 10], { tags: [2] })
    script.deleteByTag('b', [20, 30], 1)
    script.get('c', [31, 40], 'miss')
  })
  rejects('lost', 'a deleteByTag that removed what no longer carried the tag', script => {
    script.set('a', [0, 10], { tags: [1] })
    script.set('a', [11, 20], { tags: [2] })
    script.deleteByTag('b', [21, 30], 1)
    script.get('c', [31, 40], 'miss')
  })
  rejects('lost', 'a deleteByTag that removed what was re-tagged while it ran', script => {
    script.deleteByTag('b', [5, 30], 1)
    script.set('a', [0, 10], { tags: [1] })
    script.set('a', [11, 20], { tags: [2] })
    script.get('c', [21, 40], 'miss')
  })
  accepts('a deleteByTag that removed what was tagged while it ran', script => {
    script.deleteByTag('b', [5, 30], 1)
    script.set('a', [0, 10], { tags: [2] })
    script.set('a', [11, 20], { tags: [1] })
    script.get('c', [21, 40], 'miss')
  })
  accepts('a clear that removed what was set while it ran', script => {
    script.clear('b', [5, 30])
    script.set('a', [11, 20])
    script.get('c', [21, 40], 'miss')
  })
})

describe('expiry', () => {
  rejects('expired', 'a value after its ttl', script => {
    const set = script.set('a', [0, 10], { ttl: 20 })
    script.get('b', [33, 34], set)
  })
  accepts('a value within its ttl', script => {
    const set = script.set('a', [0, 10], { ttl: 20 })
    script.get('b', [29, 34], set)
  })
  rejects('expired', 'a value after its ttl, counted from when it was first seen', script => {
    const set = script.set('a', [0], { ttl: 20 })
    script.killed('a', 100)
    script.get('b', [5, 6], set)
    script.get('b', [29, 30], set)
  })
  rejects('lost', 'a miss within the ttl', script => {
    script.set('a', [0, 10], { ttl: 20 })
    script.get('b', [11, 17], 'miss')
  })
  accepts('a miss after the ttl', script => {
    script.set('a', [0, 10], { ttl: 20 })
    script.get('b', [11, 20], 'miss')
  })
})

describe('bytes', () => {
  rejects('torn', 'bytes that nobody wrote', script => {
    script.set('a', [0, 10])
    script.get('b', [11, 20], 'torn')
  })
  rejects('torn', 'the value of another key', script => {
    const set = script.set('a', [0, 10], { key: 1 })
    script.get('b', [11, 20], set, 0)
  })
  rejects('torn', 'a value before its set began', script => {
    const set = script.set('a', [30, 40])
    script.get('b', [11, 20], set)
  })
  rejects('torn', 'zero bytes that nobody wrote', script => {
    script.set('a', [0, 10])
    script.get('b', [11, 20], 'empty')
  })
  accepts('a value of a set that is still on its way', script => {
    const set = script.set('a', [15, 40])
    script.get('b', [11, 20], set)
  })
})

describe('calls of one instance in one turn', () => {
  rejects('order', 'a read that overtook a set made before it', script => {
    const old = script.set('b', [0, 1])
    script.set('a', [10, 20])
    script.get('a', [10, 20], old)
  })
  accepts('the same reads of two instances', script => {
    const old = script.set('b', [0, 1])
    script.set('a', [10, 20])
    script.get('c', [10, 20], old)
  })
  rejects('order', 'a read that was overtaken by a set made after it', script => {
    script.get('a', [10, 20], { process: 'a', n: 1 })
    script.set('a', [10, 20])
  })
  rejects('order', 'two sets in the wrong order', script => {
    const first = script.set('a', [10, 20])
    script.set('a', [10, 20])
    script.get('b', [30, 40], first)
  })
  rejects('lost', 'a set and the delete before it in the wrong order', script => {
    script.delete('a', [10, 20])
    script.set('a', [10, 20])
    script.get('b', [30, 40], 'miss')
  })
  accepts('a delete after a set', script => {
    script.set('a', [10, 20])
    script.delete('a', [10, 20])
    script.get('b', [30, 40], 'miss')
  })
  rejects('order', 'a deleteByTag that overtook the set before it', script => {
    const set = script.set('a', [10, 20], { tags: [1] })
    script.deleteByTag('a', [10, 20], 1)
    script.get('b', [30, 40], set)
  })
  accepts('a set that overtook the deleteByTag before it, or did not', script => {
    script.deleteByTag('a', [10, 20], 1)
    const set = script.set('a', [10, 20], { tags: [1] })
    script.get('b', [30, 40], set)
    script.set('c', [50, 60], { key: 1, tags: [1] })
    script.deleteByTag('c', [61, 70], 1)
    script.set('c', [61, 70], { key: 1, tags: [1] })
    script.get('b', [80, 90], 'miss', 1)
  })
  rejects('ghost', 'a set that was given up and came after a younger one', script => {
    const given = script.set('a', [10, 11], {}, { is: 'aborted' })
    const younger = script.set('a', [12, 20])
    script.get('b', [30, 40], younger)
    script.get('b', [50, 60], given)
  })
  rejects('order', 'a set that was given up and came after a younger delete', script => {
    const given = script.set('a', [10, 11], {}, { is: 'aborted' })
    script.delete('a', [12, 20])
    script.get('b', [50, 60], given)
  })
  rejects('order', 'the value of a set that was refused', script => {
    const refused = script.set('a', [10, 11], {}, { is: 'refused' })
    script.get('b', [30, 40], refused)
  })
})

describe('each call by itself', () => {
  const failed = { is: 'failed', code: 'L2_UNAVAILABLE', message: '' } as const
  rejects('error', 'a failure that nothing explains', script => {
    script.delete('a', [0, 10], failed)
  })
  test('accepts a failure that needs no cause', () => {
    const script = new Script()
    script.delete('a', [0, 10], failed)
    const excuses = (code: string) => code === 'L2_UNAVAILABLE'
    expect(findingsIn(script, { excuses })).toEqual([])
  })
  accepts('a failure during what causes it', script => {
    script.delete('a', [0, 10], failed)
    script.incidents.push({
      name: 'restart',
      begin: 9 * MS,
      end: 20 * MS,
      causes: ['L2_UNAVAILABLE'],
    })
  })
  accepts(
    'a failure soon after what causes it, of a process that did not run meanwhile',
    script => {
      script.delete('a', [300, 301], failed)
      script.incidents.push({
        name: 'restart',
        begin: 9 * MS,
        end: 20 * MS,
        causes: ['L2_UNAVAILABLE'],
      })
    },
  )
  rejects('error', 'a failure long after what causes it', script => {
    script.delete('a', [1_021, 1_022], failed)
    script.incidents.push({
      name: 'restart',
      begin: 9 * MS,
      end: 20 * MS,
      causes: ['L2_UNAVAILABLE'],
    })
  })
  rejects('hang', 'a call that never settled', script => {
    script.delete('a', [0])
  })
  accepts('a call that its process did not live to see answered', script => {
    script.delete('a', [0])
    script.killed('a', 10)
  })
  rejects('hang', 'a call that did not settle by close()', script => {
    script.delete('a', [0])
    script.killed('a/0', 10)
  })
  rejects('hang', 'a call that took longer than its timeout', script => {
    script.delete('a', [0, 20_000])
  })
  accepts('a call that took long because its process was stopped', script => {
    script.delete('a', [0, 20_000])
    script.incidents.push({ name: 'pause', begin: 5, end: 15_000 * MS, process: 'a' })
  })
})
