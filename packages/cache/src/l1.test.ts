import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { endOf } from './clock.js'
import type { Entry } from './entry.js'
import { L1 } from './l1.js'

const entry = (value: unknown, tags: string[] = [], logicalExpiry?: number): Entry => ({
  value,
  refreshAt: logicalExpiry,
  logicalExpiry,
  physicalExpiry: logicalExpiry,
  tags,
  createdAt: 0,
  size: 0,
})

describe('L1', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('has an entry until its logical expiry, and drops it at its physical one', () => {
    const l1 = new L1(10)
    l1.set('a', { ...entry(1), logicalExpiry: endOf(2_000), physicalExpiry: endOf(3_000) })
    vi.setSystemTime(1_999)
    expect(l1.get('a')?.value).toBe(1)
    vi.setSystemTime(2_000)
    expect(l1.get('a')).toBeUndefined()
    expect(l1.size).toBe(1)
    vi.setSystemTime(3_000)
    expect(l1.get('a')).toBeUndefined()
    expect(l1.size).toBe(0)
  })

  it('drops the least recently used entry beyond its bound', () => {
    const l1 = new L1(2)
    l1.set('a', entry(1))
    l1.set('b', entry(2))
    l1.get('a')
    l1.set('c', entry(3))
    expect([l1.get('a')?.value, l1.get('b')?.value, l1.get('c')?.value]).toEqual([1, undefined, 3])
  })

  it('deletes by the tags of the latest set only', () => {
    const l1 = new L1(10)
    l1.set('a', entry(1, ['x', 'y']))
    l1.set('b', entry(2, ['x']))
    l1.set('a', entry(3, ['y']))
    l1.deleteByTag('x')
    expect([l1.get('a')?.value, l1.get('b')]).toEqual([3, undefined])
    l1.deleteByTag('y')
    expect(l1.get('a')).toBeUndefined()
  })

  it.each(['delete', 'evict', 'expire', 'clear', 'replace'] as const)(
    'keeps nothing of the tags after %s: a later untagged entry is not deleted by them',
    how => {
      const l1 = new L1(1)
      l1.set('a', entry(1, ['x'], endOf(2_000)))
      if (how === 'delete') l1.delete('a')
      if (how === 'evict') l1.set('b', entry(2))
      if (how === 'clear') l1.clear()
      if (how === 'replace') l1.set('a', entry(2))
      if (how === 'expire') {
        vi.setSystemTime(2_000)
        l1.get('a')
      }
      expect(l1.tags).toBe(0)
      l1.set('a', entry(3))
      l1.deleteByTag('x')
      expect(l1.get('a')?.value).toBe(3)
    },
  )
})
