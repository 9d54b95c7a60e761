import { expect, test } from 'vitest'
import { checkSize, describeError, isAboutData, isRefusal } from './postgres-errors.js'

const refused = (code: string, message = 'something'): Error =>
  Object.assign(new Error(message), { code, severity: 'ERROR' })

test.each([
  ['25006', 'L2_READ_ONLY'],
  ['53100', 'L2_FULL'],
  ['53300', 'L2_UNAVAILABLE'],
  ['42501', 'L2_UNSUITABLE_BACKEND'],
  ['42P01', 'L2_SCHEMA_MISMATCH'],
  ['3D000', 'L2_UNSUITABLE_BACKEND'],
  ['57014', 'L2_TIMEOUT'],
  ['25P04', 'L2_TIMEOUT'],
  ['57P01', 'L2_UNAVAILABLE'],
  ['08006', 'L2_UNAVAILABLE'],
  ['ECONNRESET', 'L2_UNAVAILABLE'],
  ['XX001', 'L2_CORRUPT_STORE'],
  ['54000', 'L2_UNSUPPORTED'],
])('%s is %s', (code, expected) => {
  expect(describeError(refused(code))?.code).toBe(expected)
})

test('refused credentials are not worth another attempt', () => {
  expect(describeError(refused('28P01'))).toMatchObject({
    code: 'L2_UNAVAILABLE',
    retryable: false,
  })
})

test('what a server says of a value is not taken for what pg says', () => {
  // A trigger may quote anything.
  const quoted = refused('P0001', 'value "Connection terminated, does not support SSL"')
  expect(describeError(quoted)).toBe(undefined)
})

test('only an answer about rows is', () => {
  for (const code of ['22021', '23514', 'P0001', '54000'])
    expect(isAboutData(refused(code))).toBe(true)
  for (const code of ['25006', '42501', '40P01', '57P01'])
    expect(isAboutData(refused(code))).toBe(false)
  expect(isAboutData(Object.assign(new Error(), { code: '23505' }))).toBe(false)
})

test('servers of all languages are understood', () => {
  const german = Object.assign(refused('23505', 'doppelter Schlüsselwert'), { severity: 'FEHLER' })
  expect([isRefusal(german), isAboutData(german)]).toEqual([true, true])
  for (const code of ['57P01', '25P04', '08006', '28P01', 'XX000'])
    expect(isRefusal(refused(code))).toBe(false)
  expect(isRefusal(Object.assign(new Error(), { code: 'ECONNRESET' }))).toBe(false)
  expect(isRefusal(new Error('Connection terminated'))).toBe(false)
})

test('what could not be read again is refused', () => {
  expect(() => checkSize({ length: 256 * 2 ** 20 } as Uint8Array)).toThrow(/255 MiB/)
  checkSize({ length: 255 * 2 ** 20 } as Uint8Array)
})
