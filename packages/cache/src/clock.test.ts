import { NEVER } from '@l2/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { after, clock, earlier, endOf, isOver, LONG_AGO, later, timeOf, toUnix } from './clock.js'

const DAY = 86_400_000

describe('times', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([0, 1, -1, 1.5, 1e12, Date.now(), Date.now() + 30 * DAY, -1e15, NEVER - 1, NEVER])(
    'are what they were after a journey through an envelope: %s',
    unix => {
      expect(toUnix(endOf(unix))).toBe(unix)
      expect(toUnix(timeOf(unix))).toBe(unix)
    },
  )

  // Beyond 24 days the integers are no longer small ones; a clock may be set to before the process began.
  it.each([0, 24 * DAY, 25 * DAY, 5_000 * DAY, -25 * DAY, -5_000 * DAY])(
    'are over when they are, %s ms after the process began',
    ms => {
      const time = Date.now() + ms
      vi.useFakeTimers({ toFake: ['Date'], now: time })
      expect(toUnix(clock())).toBe(time)
      const end = after(clock(), 1_000)
      const month = after(clock(), 30 * DAY)
      expect(isOver(end)).toBe(false)
      vi.setSystemTime(time + 999)
      expect(isOver(end)).toBe(false)
      vi.setSystemTime(time + 1_000)
      expect(isOver(end)).toBe(true)
      expect(isOver(month)).toBe(false)
      expect(isOver(LONG_AGO)).toBe(true)
    },
  )

  it('never come where they are undefined', () => {
    const never = after(clock(), 0)
    vi.useFakeTimers({ toFake: ['Date'], now: NEVER })
    expect(isOver(never)).toBe(false)
    expect([earlier(never, 1), earlier(1, never), earlier(2, 1)]).toEqual([1, 1, 1])
    expect([later(never, 1), later(1, never), later(2, 1)]).toEqual([never, never, 2])
    expect(earlier(never, never)).toBe(never)
    expect(Number.isSafeInteger(toUnix(endOf(-NEVER)))).toBe(true)
  })

  it.each([
    [0, 0],
    [0, 1_000],
    [NEVER, 0],
    [NEVER, 1_000],
    [NEVER - 1e12, 0],
  ])(
    'a ttl of %s and %s more never ends, where it is 0 or ends after all that is safe',
    (...ttl) => {
      expect(after(clock(), ...ttl)).toBeUndefined()
      expect(after(clock(), 1, 1_000)).toBeDefined()
    },
  )
})
