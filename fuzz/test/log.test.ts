import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { LogWriter, type Outcome, readLog } from '../src/log.js'
import { readHistory } from '../src/read-history.js'
import type { Work } from '../src/work.js'

const works: Work[] = [
  { kind: 'get', key: 3 },
  { kind: 'delete', key: 4 },
  { kind: 'set', key: 5, size: 1_024, ttl: 20, tags: [1, 7] },
  { kind: 'set', key: 5, size: 0, ttl: 0, tags: [] },
  { kind: 'deleteByTag', tag: 2 },
  { kind: 'clear' },
  { kind: 'ping' },
]
const outcomes: Outcome[] = [
  { is: 'done' },
  { is: 'miss' },
  { is: 'empty' },
  { is: 'aborted' },
  { is: 'refused' },
  { is: 'whole', key: 3, id: '0.1.2#77' },
  { is: 'torn', start: '00ff' },
  { is: 'failed', code: 'L2_TIMEOUT', message: 'get: no answer within 5 000 ms' },
]

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'l2-fuzz-log-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

test('a log says what was written, up to where its process was killed', () => {
  const path = join(temporaryFolder(), '0.1.2.log')
  const log = new LogWriter(path)
  for (const [n, work] of works.entries()) log.begin(n, 1_000 + n, 1, work)
  for (const [n, outcome] of outcomes.entries()) log.end(n, 2_000 + n, outcome)
  log.closed(1, 3_000)
  log.close()
  appendFileSync(path, '+ 99 4000 1 ge')
  expect([...readLog(path)]).toEqual([
    ...works.map((work, n) => ({ is: 'begin', n, at: 1_000 + n, instance: 1, work })),
    ...outcomes.map((outcome, n) => ({ is: 'end', n, at: 2_000 + n, outcome })),
    { is: 'closed', instance: 1, at: 3_000 },
  ])
})

test('logs of several processes make one history', () => {
  const folder = temporaryFolder()
  const one = new LogWriter(join(folder, '0.0.0.log'))
  one.begin(0, 10, 0, { kind: 'ping' })
  one.end(0, 20, { is: 'done' })
  one.closed(0, 30)
  const other = new LogWriter(join(folder, '0.1.0.log'))
  other.begin(0, 15, 2, { kind: 'clear' })
  const { calls, gone } = readHistory(folder, new Map([['0.1.0', 40]]), [])
  expect(calls).toEqual([
    {
      work: { kind: 'ping' },
      process: '0.0.0',
      instance: '0.0.0/0',
      n: 0,
      begin: 10,
      end: 20,
      outcome: { is: 'done' },
    },
    {
      work: { kind: 'clear' },
      process: '0.1.0',
      instance: '0.1.0/2',
      n: 0,
      begin: 15,
      end: Infinity,
    },
  ])
  expect([...gone]).toEqual([
    ['0.1.0', 40],
    ['0.0.0/0', 30],
  ])
})
