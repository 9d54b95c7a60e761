import { describe, expect, it } from 'vitest'
import { Fences } from './fences.js'

describe('Fences', () => {
  it('outdates a factory by what was called after it began', () => {
    const fences = new Fences()
    const early = fences.begin('k', false)
    const key = fences.deleteKey('k')
    const late = fences.begin('k', false)
    fences.settleKey('k', key)
    expect([fences.outdated(early, []), fences.outdated(late, [])]).toEqual([true, false])
  })

  it.each(['key', 'tag', 'all'] as const)(
    'outdates a read that ran beside a delete of %s, whichever began first',
    what => {
      const fences = new Fences()
      const before = fences.begin('k', true)
      const key = what === 'key' ? fences.deleteKey('k') : undefined
      const tag = what === 'tag' ? fences.deleteTag('t') : undefined
      if (what === 'all') fences.deleteAll()
      const between = fences.begin('k', true)
      const other = fences.begin('other', true)
      expect([before, between].map(ticket => fences.outdated(ticket, ['t']))).toEqual([true, true])
      if (key !== undefined) fences.settleKey('k', key)
      if (tag !== undefined) fences.settleTag('t', tag)
      if (what === 'all') fences.settleAll()
      const after = fences.begin('k', true)
      const all = [before, between, after].map(ticket => fences.outdated(ticket, ['t']))
      expect(all).toEqual([true, true, false])
      expect(fences.outdated(other, ['u'])).toBe(what === 'all')
    },
  )

  it('counts overlapping deletes of one name together', () => {
    const fences = new Fences()
    const first = fences.deleteTag('t')
    const second = fences.deleteTag('t')
    fences.settleTag('t', first)
    const read = fences.begin('k', true)
    expect(fences.outdated(read, ['t'])).toBe(true)
    fences.settleTag('t', second)
    expect(fences.outdated(read, ['t'])).toBe(true)
    expect(fences.outdated(fences.begin('k', true), ['t'])).toBe(false)
  })

  it('lets a read that began after a set see it, though a delete before has not settled', () => {
    const fences = new Fences()
    const pending = fences.deleteKey('k')
    fences.replace('k')
    const read = fences.begin('k', true)
    expect(fences.outdated(read, [])).toBe(false)
    fences.settleKey('k', pending)
    expect(fences.outdated(read, [])).toBe(false)
  })

  it('tells the other fills of a key, not the one that stored', () => {
    const fences = new Fences()
    const [a, b, c] = [fences.begin('k', true), fences.begin('k', false), fences.begin('k', true)]
    fences.replace('k', b)
    expect([a, b, c].map(ticket => ticket.replaced)).toEqual([true, false, true])
  })

  it('remembers nothing once nothing is in progress, in whatever order fills end', () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
      [1, 2, 0],
    ]) {
      const fences = new Fences()
      const tickets = [fences.begin('k', true), fences.begin('k', false), fences.begin('k', true)]
      const [key, tag] = [fences.deleteKey('k'), fences.deleteTag('t')]
      fences.deleteAll()
      fences.settleKey('k', key)
      fences.settleTag('t', tag)
      fences.settleAll()
      expect(fences.size).toBeGreaterThan(0)
      for (const index of order) fences.end(tickets[index] as (typeof tickets)[0])
      expect(fences.size).toBe(0)
    }
  })

  it('tells those that are left after others have ended', () => {
    for (const ended of [0, 1, 2]) {
      const fences = new Fences()
      const tickets = [fences.begin('k', true), fences.begin('k', true), fences.begin('k', true)]
      fences.end(tickets[ended] as (typeof tickets)[0])
      fences.replace('k')
      expect(tickets.map(ticket => ticket.replaced)).toEqual([0, 1, 2].map(i => i !== ended))
    }
  })

  it.each([0, 1])('ends fills of one key in constant time each, with %d tags deleted', tags => {
    const fences = new Fences()
    const tickets = Array.from({ length: 100_000 }, () => fences.begin('k', true))
    for (let i = 0; i < tags; i++) fences.settleTag(`t${i}`, fences.deleteTag(`t${i}`))
    const start = performance.now()
    for (const ticket of tickets) fences.end(ticket)
    // Some 30 ms; quadratic it would be several seconds.
    expect(performance.now() - start).toBeLessThan(1_000)
    expect(fences.size).toBe(0)
  })

  it('forgets tags deleted before the oldest fill began', () => {
    const fences = new Fences()
    let last = fences.begin('k', true)
    for (let i = 0; i < 1_000; i++) {
      fences.settleTag(`t${i}`, fences.deleteTag(`t${i}`))
      const next = fences.begin('k', true)
      fences.end(last)
      last = next
    }
    expect(fences.size).toBeLessThan(10)
  })

  it('is bounded beside a fill that never ends, which then counts as outdated', () => {
    const fences = new Fences()
    const hung = fences.begin('k', false)
    for (let i = 0; i < 30_000; i++) fences.settleTag(`t${i}`, fences.deleteTag(`t${i}`))
    expect(fences.size).toBeLessThan(20_010)
    expect(fences.outdated(hung, ['t0'])).toBe(true)
    expect(fences.outdated(fences.begin('k', false), ['t0'])).toBe(false)
  })

  it('lets go of what has ended: one that has grown old keeps none of those after it', () => {
    const fences = new Fences()
    for (const keys of [
      ['a', 'b', 'c'],
      ['a', 'a', 'a'],
    ]) {
      const tickets = keys.map(key => fences.begin(key, true))
      fences.readEnded(tickets[1] as (typeof tickets)[0])
      for (const ticket of tickets) fences.end(ticket)
      for (const { next, previous, newer, older, fill } of tickets)
        expect([next, previous, newer, older, fill]).toEqual([...Array(5)])
    }
  })
})
