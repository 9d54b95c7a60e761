import { describe, expect, test } from 'vitest'
import { ConformanceError, conformance } from '../src/conformance/index.js'
import { mutants } from './mutants/mutants.js'
import { openOf, TwinBackend } from './mutants/twin.js'

/** The ids of the cases that an adapter fails. */
async function failedCases(
  Class: Parameters<typeof openOf>[0],
  ids?: readonly string[],
): Promise<string[]> {
  const failed: string[] = []
  for (const { id, run } of conformance({ open: openOf(Class) })) {
    if (ids !== undefined && !ids.includes(id)) continue
    await run().catch(error => {
      if (!(error instanceof ConformanceError)) throw error
      failed.push(id)
    })
  }
  return failed
}

test('the right twin passes every case', async () => {
  expect(await failedCases(TwinBackend)).toEqual([])
})

describe('a broken adapter is rejected', () => {
  for (const { mistake, caughtBy, Class } of mutants) {
    test(`${mistake}: by ${caughtBy}`, async () => {
      expect(await failedCases(Class, [caughtBy])).toEqual([caughtBy])
    })
  }
})

describe('a deviation', () => {
  const [ttlIgnored] = mutants
  const deviating = (id: string, Class: Parameters<typeof openOf>[0]) => () => {
    const deviations = { [id]: { reason: 'for the test' } }
    const found = conformance({ open: openOf(Class), deviations }).find(one => one.id === id)
    return found?.run()
  }

  test('lets the case that it names fail', async () => {
    await deviating('ttl.interval', ttlIgnored?.Class ?? TwinBackend)()
  })

  test('fails when the case passes after all', async () => {
    await expect(deviating('ttl.interval', TwinBackend)()).rejects.toThrow('remove it')
  })

  test('of no case is refused', () => {
    expect(deviating('ttl.of-no-case', TwinBackend)).toThrow("there is no case 'ttl.of-no-case'")
  })
})

test('a failing case tells what was done, expected and seen, and the rule', async () => {
  const [, tagsKept] = mutants
  const found = conformance({ open: openOf(tagsKept?.Class ?? TwinBackend), seed: 42 }).find(
    one => one.id === 'tags.old-tags-go',
  )
  const error: Error = await (found?.run() ?? Promise.resolve()).then(
    () => expect.unreachable(),
    thrown => thrown,
  )
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

test('case ids are stable: they are an API', () => {
  const cases = conformance({ open: openOf(TwinBackend) })
  expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length)
  expect(cases.map(({ level, id }) => `${level} ${id}`)).toMatchSnapshot()
})
