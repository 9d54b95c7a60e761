import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFailed, test } from 'vitest'
import { newSeed, randomFrom } from '../../core/test/support/random.mjs'
import { SqliteAdapter } from '../src/index.js'
import { type Child, startChild } from './support/child.js'
import { temporaryFolder } from './support/folder.js'
import { faultsIn, rowsIn } from './support/inspect.js'

interface Report {
  readonly calls: number
  readonly failures: string[]
}

const elapse = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
/** What the processes do follows from the seed; how they interleave does not. */
function seeded(): number {
  const seed = newSeed()
  onTestFailed(() => console.error(`seed: ${seed}; set L2_SEED to replay it`))
  return seed
}

const bytes = (text: string) => new TextEncoder().encode(text)

test('8 processes create one file at once', async () => {
  const children = await Promise.all(Array.from({ length: 8 }, () => startChild()))
  for (let round = 0; round < 5; round++) {
    const path = join(temporaryFolder(), 'cache.db')
    await Promise.all(
      children.map(async (child, at) => {
        const handle = `${round}.${at}`
        await child.do('open', [handle, { path }])
        const set = ['set', [`key ${at}`, bytes(`${at}`)], { tags: ['all'] }]
        await child.do('call', [handle, ...set])
      }),
    )
    await using adapter = new SqliteAdapter({ path })
    for (const at of children.keys()) expect(await adapter.get(`key ${at}`)).toEqual(bytes(`${at}`))
    expect(rowsIn(path)).toEqual({ prefix: 1, entry: 8, tag: 8 })
    expect(faultsIn(path)).toEqual([])
    await Promise.all(children.map((child, at) => child.do('close', [`${round}.${at}`])))
  }
})

test('8 processes take over one blank file at once that has a page', async () => {
  const children = await Promise.all(Array.from({ length: 8 }, () => startChild()))
  for (let round = 0; round < 5; round++) {
    const path = join(temporaryFolder(), 'cache.db')
    new Database(path).exec('CREATE TABLE t (x); DROP TABLE t').close()
    await Promise.all(
      children.map(async (child, at) => {
        const handle = `${round}.${at}`
        await child.do('open', [handle, { path }])
        for (let i = 0; i < 20; i++)
          await child.do('call', [handle, 'set', [`${at}.${i}`, bytes('1')], { tags: ['all'] }])
      }),
    )
    expect(rowsIn(path)).toEqual({ prefix: 1, entry: 160, tag: 160 })
    expect(faultsIn(path)).toEqual([])
    await Promise.all(children.map((child, at) => child.do('close', [`${round}.${at}`])))
  }
})

test('what one process sets, another reads and invalidates', async () => {
  const path = join(temporaryFolder(), 'cache.db')
  const child = await startChild()
  await child.do('open', ['other', { path }])
  const other = <T>(method: string, args: unknown[], options = {}) =>
    child.do<T>('call', ['other', method, args, options])
  await using adapter = new SqliteAdapter({ path })

  await adapter.set('mine', bytes('1'), { tags: ['a', 'b'] })
  expect(await other('get', ['mine'])).toEqual(bytes('1'))
  await other('set', ['mine', bytes('2')], { tags: ['b'] })
  await other('set', ['theirs', bytes('3')], { tags: ['a'] })
  await adapter.deleteByTag('a')
  expect(await adapter.get('mine')).toEqual(bytes('2'))
  expect(await other('get', ['theirs'])).toBeUndefined()
  await other('deleteByTag', ['b'])
  expect(await adapter.get('mine')).toBeUndefined()
  await adapter.set('mine', bytes('4'))
  await other('clear', [])
  expect(await adapter.get('mine')).toBeUndefined()
})

test('8 processes at work on the same keys and tags', async () => {
  const path = join(temporaryFolder(), 'cache.db')
  const children = await Promise.all(Array.from({ length: 8 }, () => startChild()))
  const seed = seeded()
  const work = { keys: 50, tags: 10, end: Date.now() + 3_000 }
  const options = { path, sweepInterval: 100 }
  const reports = await Promise.all(
    children.map((child, at) => child.do<Report>('churn', [options, { ...work, seed: seed + at }])),
  )
  expect(reports.flatMap(report => report.failures)).toEqual([])
  expect(Math.min(...reports.map(report => report.calls))).toBeGreaterThan(50)
  expect(faultsIn(path)).toEqual([])
  await expectRemovable(path, work)
}, 60_000)

test('processes that are killed in the middle harm nobody', async () => {
  const path = join(temporaryFolder(), 'cache.db')
  const seed = seeded()
  const random = randomFrom(seed)
  const work = { keys: 30, tags: 8, seed }
  const start = async (): Promise<Child> => {
    const child = await startChild()
    const own = { ...work, seed: random(2 ** 31) }
    child.do('churn', [{ path, sweepInterval: 50 }, own]).catch(() => {})
    return child
  }
  const survivor = await startChild()
  const report = survivor.do<Report>('churn', [{ path }, { ...work, end: Date.now() + 4_000 }])
  for (let kills = 0; kills < 8; kills++) {
    const victims = await Promise.all([start(), start()])
    await elapse(20 + random(130))
    await Promise.all(victims.map(victim => victim.kill('SIGKILL')))
    expect(faultsIn(path)).toEqual([])
  }
  expect((await report).failures).toEqual([])
  await expectRemovable(path, work)
}, 60_000)

test('processes that are killed while they create the file', async () => {
  const seed = seeded()
  const random = randomFrom(seed)
  for (let round = 0; round < 8; round++) {
    const path = join(temporaryFolder(), 'cache.db')
    const children = await Promise.all([startChild(), startChild()])
    for (const child of children)
      child.do('churn', [{ path }, { keys: 5, tags: 5, seed }]).catch(() => {})
    await elapse(random(12))
    await Promise.all(children.map(child => child.kill('SIGKILL')))
    await using adapter = new SqliteAdapter({ path })
    await adapter.set('key', bytes('1'), { tags: ['tag'] })
    expect(await adapter.get('key')).toEqual(bytes('1'))
    expect(faultsIn(path)).toEqual([])
  }
}, 60_000)

/** Each entry that can be read goes with each of its tags; then nothing is left. */
async function expectRemovable(path: string, work: { keys: number; tags: number }): Promise<void> {
  await using adapter = new SqliteAdapter({ path })
  for (let tag = 0; tag < work.tags; tag++) await adapter.deleteByTag(`tag ${tag}`)
  for (let key = 0; key < work.keys; key++) expect(await adapter.get(`key ${key}`)).toBeUndefined()
  expect(rowsIn(path)).toMatchObject({ entry: 0, tag: 0 })
}

test('a process ends by itself once nobody awaits a call', async () => {
  const path = join(temporaryFolder(), 'cache.db')
  const child = await startChild()
  await child.do('open', ['handle', { path, sweepInterval: 60_000 }])
  await child.do('call', ['handle', 'set', ['key', bytes('1')], {}])
  const ended = new Promise(resolve => child.process.once('exit', resolve))
  await child.do('idle', [])
  expect(await Promise.race([ended, elapse(5_000)])).toBe(0)
})
