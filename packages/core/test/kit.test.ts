import { describe, expect, test } from 'vitest'
import {
  type Case,
  ConformanceError,
  conformance,
  formatReport,
  runCases,
} from '../src/conformance/index.js'
import { GuardedAdapter } from '../src/guarded-adapter.js'
import { failedCases } from './mutants/catch.js'
import { mutants } from './mutants/mutants.js'
import { type Parts, subjectOf, TwinBackend } from './mutants/twin.js'

const casesOf = (parts: Parts, extra: object = {}): Case[] =>
  conformance({ ...subjectOf(parts, ''), ...extra })
const caseOf = (id: string, parts: Parts, extra: object = {}): Case =>
  casesOf(parts, extra).find(one => one.id === id) as Case
const mutantOf = (caughtBy: string): Parts =>
  mutants.find(one => one.caughtBy === caughtBy) as Parts

const errorOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable(),
    error => error,
  )

test('the right twin passes every case, and every case is run', { timeout: 60_000 }, async () => {
  expect(casesOf({}).filter(({ skip }) => skip !== undefined)).toEqual([])
  expect(await failedCases({})).toEqual([])
})

test('a right adapter without tags passes what there is for it', { timeout: 60_000 }, async () => {
  class Tagless extends TwinBackend {
    readonly capabilities = { tags: false }
  }
  const subject = subjectOf({ Backend: Tagless }, 'stall')
  const report = await runCases(conformance({ ...subject, capabilities: { tags: false } }))
  expect(report.results.filter(({ outcome }) => outcome === 'failed')).toEqual([])
  expect(report.results.find(({ id }) => id === 'capabilities.no-tags')?.outcome).toBe('passed')
  expect(report.results.find(({ id }) => id === 'tags.exactly-those')).toMatchObject({
    outcome: 'not run',
    reason: 'the subject offers no tags',
  })
})

describe('a deviation', () => {
  const deviations = { 'ttl.interval': { reason: 'for the test' } }

  test('lets the case that it names fail', async () => {
    await caseOf('ttl.interval', mutantOf('ttl.interval'), { deviations }).run()
  })

  test('fails when the case passes after all', async () => {
    const error = await errorOf(caseOf('ttl.interval', {}, { deviations }).run())
    expect(error.message).toContain('remove it')
  })

  test('of no case is refused', () => {
    const unknown = { 'ttl.of-no-case': { reason: 'for the test' } }
    expect(() => casesOf({}, { deviations: unknown })).toThrow("there is no case 'ttl.of-no-case'")
  })
})

describe('a case that can not be run', () => {
  test('says why, and does not pass', async () => {
    const one = caseOf('residue.delete', {}, { residue: undefined, sweep: undefined })
    expect(one.skip).toBe('the subject offers no residue, no sweep')
    expect((await errorOf(one.run())).message).toContain('was not run')
  })
})

describe('a failing case', () => {
  test('tells what was done, expected and seen, the rule, and the seed', async () => {
    const one = caseOf('tags.old-tags-go', mutantOf('tags.old-tags-go'), { seed: 42 })
    const error = await errorOf(one.run())
    expect(error).toBeInstanceOf(ConformanceError)
    for (const part of [
      'rule: Tags',
      "deleteByTag('old')",
      'expected:',
      'seen:',
      'undefined',
      'seed:     42',
    ])
      expect(error.message).toContain(part)
  })

  test('does not touch the error of the adapter, whatever it is', async () => {
    for (const thrown of [
      new DOMException('gone', 'AbortError'),
      new Error('gone'),
      'gone',
      undefined,
    ]) {
      class Failing extends GuardedAdapter {
        override async ping(): Promise<void> {
          throw thrown
        }
      }
      const error = await errorOf(caseOf('idempotence.ping', { Adapter: Failing }).run())
      expect(error).toBeInstanceOf(ConformanceError)
      expect(error.cause).toBe(thrown)
      if (thrown instanceof Error) expect(thrown.message).toBe('gone')
    }
  })

  test('leaves no rejection that nobody hears of', { timeout: 60_000 }, async () => {
    class Failing extends TwinBackend {
      override async set(): Promise<void> {
        throw new Error('no')
      }
      override async get(): Promise<Uint8Array | undefined> {
        throw new Error('no')
      }
    }
    const unheard: unknown[] = []
    const listener = (reason: unknown): void => void unheard.push(reason)
    process.on('unhandledRejection', listener)
    await failedCases({ Backend: Failing })
    await new Promise(resolve => setTimeout(resolve, 50))
    process.off('unhandledRejection', listener)
    expect(unheard).toEqual([])
  })
})

test('the report counts what was run, not run, failed and deviating', async () => {
  const ids = ['ttl.interval', 'ttl.unread', 'residue.delete', 'values.64-mib', 'values.every-byte']
  const deviations = { 'ttl.unread': { reason: 'no such thing there' } }
  const Backend = class extends TwinBackend {
    override expiryOf(ttl: number): number {
      return ttl === 0 ? Number.POSITIVE_INFINITY : Date.now() + ttl * 1_000
    }
  }
  const cases = casesOf({ Backend }, { deviations, sweep: undefined })
  const seen: string[] = []
  const report = await runCases(
    cases.filter(({ id }) => ids.includes(id)),
    ({ id, outcome }) => seen.push(`${id} ${outcome}`),
  )
  expect(seen).toEqual([
    'values.every-byte passed',
    'values.64-mib passed',
    'ttl.interval failed',
    'ttl.unread deviating',
    'residue.delete not run',
  ])
  expect(report.ok).toBe(false)
  expect(report.levels.MUST).toEqual({
    total: 4,
    run: 3,
    passed: 1,
    failed: 1,
    deviating: 1,
    'not run': 1,
  })
  expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  const text = formatReport(report)
  expect(text).toContain('MUST 3 of 4 run: 1 passed, 1 failed, 1 deviating')
  expect(text).toContain('SHOULD 1 of 1 run: 1 passed')
  expect(text).toMatch(/not run {2,}MUST {2,}residue.delete .*offers no sweep/)
  expect(text).toMatch(/deviating {2,}MUST {2,}ttl.unread .*no such thing there/)
})

test('case ids are stable: they are an API', () => {
  const cases = [...casesOf({}), ...casesOf({}, { capabilities: { tags: false } })]
  const ids = new Set(cases.map(({ level, id }) => `${level} ${id}`))
  expect(new Set(casesOf({}).map(({ id }) => id)).size).toBe(casesOf({}).length)
  expect([...ids]).toMatchSnapshot()
})

describe('a subject that is not what it should be', () => {
  test('is told what its open() lacks', async () => {
    const open = (): never => ({ get: () => undefined }) as never
    const error = await errorOf(caseOf('values.every-byte', {}, { open }).run())
    expect(error.message).toContain('open() must give an adapter: what it gave has no set, delete')
  })

  test('is told of a hook that nobody knows, and of a residue that is no number', async () => {
    expect(() => casesOf({}, { residues: () => 0 })).toThrow("the kit knows no 'residues'")
    const error = await errorOf(caseOf('residue.live', {}, { residue: () => undefined }).run())
    expect(error.message).toContain('residue() must give a number')
  })
})
