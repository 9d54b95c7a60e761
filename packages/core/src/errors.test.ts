import { expect, test } from 'vitest'
import { isL2Error, L2Error } from './errors.js'

test('carries code, retryable, message and cause', () => {
  const cause = new Error('refused')
  const error = new L2Error('L2_UNAVAILABLE', 'down', { cause })
  expect(error).toBeInstanceOf(Error)
  expect([error.name, error.code, error.retryable, error.message]).toEqual([
    'L2Error',
    'L2_UNAVAILABLE',
    true,
    'down',
  ])
  expect(error.cause).toBe(cause)
  expect('cause' in new L2Error('L2_CLOSED', 'closed')).toBe(false)
})

test('is retryable by its code, unless told otherwise', () => {
  expect(new L2Error('L2_TIMEOUT', '').retryable).toBe(true)
  expect(new L2Error('L2_CLOSED', '').retryable).toBe(false)
  expect(new L2Error('L2_READ_ONLY', '', { retryable: true }).retryable).toBe(true)
})

test('is recognised when another copy of core made it', async () => {
  const other: typeof import('./errors.js') = await import(`${'./errors.js'}?another-copy`)
  const error = new other.L2Error('L2_FULL', 'full')
  expect(error instanceof L2Error).toBe(false)
  expect(isL2Error(error)).toBe(true)
})

test('is not recognised in anything else', () => {
  for (const value of [
    undefined,
    null,
    'L2_FULL',
    new Error('L2_FULL'),
    { code: 'L2_FULL', name: 'L2Error' },
  ]) {
    expect(isL2Error(value)).toBe(false)
  }
})
