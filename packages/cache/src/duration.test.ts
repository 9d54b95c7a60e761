import { describe, expect, it } from 'vitest'
import { toMs } from './duration.js'

describe('toMs', () => {
  it.each([
    [0, 0],
    [1500, 1500],
    [0.2, 1],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1.5h', 5_400_000],
    ['1.1h', 3_960_000],
    ['0.5ms', 1],
    ['0s', 0],
    ['9007199254740991ms', Number.MAX_SAFE_INTEGER],
  ])('%s is %d ms', (duration, ms) => {
    expect(toMs('ttl', duration)).toBe(ms)
  })

  it.each([
    '5',
    '',
    'm',
    '5 m',
    '5M',
    '5min',
    '1e3ms',
    '0x10s',
    '.5s',
    '5.s',
    '+5s',
    '5m\n',
    null,
    {},
    5n,
    true,
  ])('%s is a TypeError that names the field and the forms', duration => {
    const attempt = (): number => toMs('defaults.ttl', duration)
    expect(attempt).toThrow(TypeError)
    expect(attempt).toThrow(/^defaults\.ttl must be a number of ms or a string such as .*, not /)
  })

  it.each([-1, -0.1, NaN, Infinity, 2 ** 53, '-5m', '300000000d'])(
    '%s is a RangeError that names the field',
    duration => {
      const attempt = (): number => toMs('ttl', duration)
      expect(attempt).toThrow(RangeError)
      expect(attempt).toThrow(`ttl must be from 0 to 2^53 - 1 ms, not ${duration}`)
    },
  )

  it('quotes short strings only: a long one may be anything', () => {
    expect(() => toMs('ttl', '5 min')).toThrow('not "5 min"')
    const secret = 'postgres://user:secret@host/db'
    expect(() => toMs('ttl', secret)).toThrow(/not a string of 30 characters$/)
  })
})
