import { beforeEach, expect, onTestFailed, test } from 'vitest'
import { startProgram } from '../../core/test/support/child.js'
import { newSeed, randomFrom } from '../../core/test/support/random.mjs'
import { ownPostgres } from './support/own-postgres.js'
import { type OwnSchema, ownSchema } from './support/own-schema.js'
import { bytes } from './support/text.js'

interface Report {
  readonly calls: number
  readonly failures: string[]
}

const server = ownPostgres('deadlock_timeout=20ms')
let own: OwnSchema
beforeEach(async () => {
  own = await ownSchema(server.url)
})

function seeded(): number {
  const seed = newSeed()
  onTestFailed(() => console.error(`seed: ${seed}; set L2_SEED to replay it`))
  return seed
}

const startChild = () => startProgram(new URL('support/hazard-child.mjs', import.meta.url))

/** Each entry that can be read goes with its tags; then nothing is left. */
async function expectRemovable(keys: number, tags: number): Promise<void> {
  const adapter = own.open()
  for (let tag = 0; tag < tags; tag++) await adapter.deleteByTag(`tag ${tag}`)
  const left = await Promise.all(Array.from({ length: keys }, (_, i) => adapter.get(`key ${i}`)))
  expect(left.filter(value => value !== undefined)).toEqual([])
  await adapter.sweep()
  expect(await own.rows()).toEqual({ entry: 0, tag: 0 })
}

test('hazard 16: 8 processes of shuffled batches, sweeps and invalidations: no deadlock', async () => {
  const seed = seeded()
  const children = await Promise.all(Array.from({ length: 8 }, startChild))
  const options = { url: server.url, schema: own.schema, sweepInterval: 0 }
  const work = { keys: 60, tags: 6, end: Date.now() + 5_000 }
  const reports = await Promise.all(
    children.map((child, at) =>
      child.do<Report>('shuffle', [options, { ...work, seed: seed + at }]),
    ),
  )
  expect(reports.flatMap(({ failures }) => failures)).toEqual([])
  expect(Math.min(...reports.map(({ calls }) => calls))).toBeGreaterThan(200)
  expect(server.log()).not.toContain('40P01')
  await expectRemovable(work.keys, work.tags)
}, 60_000)

test('processes that are killed in the middle leave no half of anything', async () => {
  const seed = seeded()
  const random = randomFrom(seed)
  const options = { url: server.url, schema: own.schema, sweepInterval: 50 }
  const work = { keys: 40, tags: 6 }
  for (let round = 0; round < 6; round++) {
    const victims = await Promise.all([startChild(), startChild()])
    for (const victim of victims)
      victim.do('shuffle', [options, { ...work, seed: random(2 ** 31) }]).catch(() => {})
    await new Promise(resolve => setTimeout(resolve, 100 + random(200)))
    await Promise.all(victims.map(victim => victim.kill('SIGKILL')))
  }
  const raw = await own.session()
  // Postgres carries out what it was sent, and then notices.
  const others = 'SELECT pid FROM pg_stat_activity WHERE query ~ $1 AND pid <> pg_backend_pid()'
  await expect
    .poll(async () => (await raw.query(`${others} AND state = 'active'`, [own.schema])).rowCount)
    .toBe(0)
  expect(server.log()).not.toContain('40P01')
  await expectRemovable(work.keys, work.tags)
}, 60_000)

test('hazard 21: 16 processes make one schema at once, and write', async () => {
  const children = await Promise.all(Array.from({ length: 16 }, startChild))
  for (let round = 0; round < 3; round++) {
    const place = await ownSchema(server.url, `${own.schema}_${round}`)
    const options = { url: server.url, schema: place.schema, sweepInterval: 0 }
    await Promise.all(
      children.map(async (child, at) => {
        const handle = `${round}.${at}`
        await child.do('open', [handle, options])
        await child.do('call', [handle, 'set', [`key ${at}`, bytes(`${at}`)], { tags: ['all'] }])
        await child.do('close', [handle])
      }),
    )
    const adapter = place.open()
    for (const at of children.keys()) expect(await adapter.get(`key ${at}`)).toEqual(bytes(`${at}`))
    expect(await place.rows()).toEqual({ entry: 16, tag: 16 })
  }
}, 60_000)

test('what one process sets, another reads and invalidates', async () => {
  const child = await startChild()
  await child.do('open', ['other', { url: server.url, schema: own.schema }])
  const other = <T>(method: string, args: unknown[], options = {}) =>
    child.do<T>('call', ['other', method, args, options])
  const adapter = own.open()
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
