import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { redactedCause, redactText } from './redact.js'

const shown = (error: unknown): string =>
  inspect(redactedCause(error), { depth: 10, showHidden: true })

test('keeps name, message, code and stack frames of a driver error', () => {
  const error = Object.assign(new TypeError('it broke'), { code: 'E_BROKE' })
  const cause = redactedCause(error) as Error & { code?: string }
  expect([cause.name, cause.message, cause.code]).toEqual(['TypeError', 'it broke', 'E_BROKE'])
  expect(cause.stack).toMatch(/^TypeError: it broke\n +at /)
  expect(cause.stack).toContain('redact.test.ts')
})

test('drops what drivers hang on their errors', () => {
  const error = Object.assign(new Error('WRONGPASS'), {
    command: { name: 'auth', args: ['user', 'hunter2'] },
    options: { password: 'hunter2' },
    input: 'redis://user:hunter2@host',
  })
  expect(shown(error)).not.toContain('hunter2')
})

test('removes connection strings from messages, nested ones too', () => {
  const inner = new Error('cannot connect to postgres://me:hun/t@er2@db:5432/x?sslkey=hunter3 now')
  const error = new AggregateError([inner], '', { cause: inner })
  const text = shown(error)
  expect(text).toContain('cannot connect to [redacted] now')
  for (const secret of ['hun/t', 'er2', 'hunter3', 'postgres:']) expect(text).not.toContain(secret)
})

test('tells what an AggregateError without a message holds', () => {
  expect(
    redactedCause(new AggregateError([new Error('refused 1'), new Error('refused 2')], '')).message,
  ).toBe('refused 1; refused 2')
})

test('copes with anything that can be thrown', () => {
  const loop: { cause?: unknown; message: string } = { message: 'loop' }
  loop.cause = loop
  for (const thrown of [
    undefined,
    null,
    5,
    'text',
    {},
    [],
    loop,
    { message: 5, stack: 5 },
    Object.create(null),
  ]) {
    expect(redactedCause(thrown)).toBeInstanceOf(Error)
  }
})

test('bounds the length of a message, and the time it takes', () => {
  expect(redactText('x'.repeat(10_000)).length).toBeLessThan(500)
  expect(redactText('a://'.repeat(1_000_000))).toBe('[redacted]')
})
