import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type Ground, grounds, withoutRedis } from './support/backends.js'
import { type Service, startService } from './support/service-process.js'

const FAST = { ORIGIN_DELAY_MS: '20', TTL_MS: '60000' }
/** For tests that wait until entries are stale. */
const SHORT_LIVED = { ORIGIN_DELAY_MS: '20', TTL_MS: '400' }
const afterTtl = () => sleep(450)

const helmet = { id: 2, name: 'Helmet', price: 60, accessories: [] }
const lock = { id: 3, name: 'Lock', price: 40, accessories: [] }

/** Ended as it should be: by itself, with all that it had to do done. */
async function stopWell(service: Service, signal?: NodeJS.Signals): Promise<void> {
  const { log, ...end } = await service.stop(signal)
  expect(end).toEqual({ code: 0, signal: null, stderr: '' })
  expect(log.at(-1)).toMatchObject({ level: 'info', msg: 'stopped' })
}

describe.each(Object.entries(grounds))('the service with %s', (_, ground) => {
  test('answers all its routes', async () => {
    const service = await startService(ground(), FAST)

    const page = { id: 1, name: 'Bicycle', price: 900, accessories: [helmet, lock] }
    const visitors = Array.from({ length: 10 }, () => service.get('/products/1'))
    for (const answer of await Promise.all(visitors))
      expect(answer).toEqual({ status: 200, body: page })
    expect(await service.stats()).toMatchObject({ factories: 1, misses: 1 })

    expect((await service.get('/products?ids=3,2,9')).body).toEqual([lock, helmet])
    expect((await service.get('/products?ids=2,3')).body).toEqual([helmet, lock])
    expect(await service.stats()).toMatchObject({ factories: 4 })

    const cheaper = { ...helmet, price: 50 }
    expect(await service.put('/products/2', { price: 50 })).toEqual({ status: 200, body: cheaper })
    // Its own entry, and the page that it is on; the other entry stays.
    expect((await service.get('/products?ids=2,3')).body).toEqual([cheaper, lock])
    const { body } = await service.get('/products/1')
    expect(body).toEqual({ ...page, accessories: [cheaper, lock] })
    expect(await service.stats()).toMatchObject({ factories: 6, l2Errors: 0, factoryErrors: 0 })

    const health = { status: 'up', l1: { entries: 3 }, l2: { status: 'up', breaker: 'closed' } }
    expect(await service.get('/health')).toMatchObject({ status: 200, body: health })
    await stopWell(service)
  })

  test('refuses what makes no sense, and remembers what there is not', async () => {
    const service = await startService(ground(), FAST)
    for (const path of ['/products/x', '/products', '/products?ids=1,', '/products?ids=1e3'])
      expect(await service.get(path)).toMatchObject({ status: 400 })
    expect(await service.put('/products/1', { price: 'free' })).toMatchObject({ status: 400 })
    expect(await service.put('/products/9', { price: 1 })).toMatchObject({ status: 404 })
    for (let i = 0; i < 3; i++)
      expect(await service.get('/products/9')).toMatchObject({ status: 404 })
    expect(await service.stats()).toMatchObject({ factories: 1, l1Hits: 2 })
    await stopWell(service)
  })

  test('shares with a second process what either has made or changed', async () => {
    const here = ground()
    const [a, b] = await Promise.all([startService(here, FAST), startService(here, FAST)])
    const page = await b.get('/products/1')
    expect(await a.get('/products/1')).toEqual(page)
    expect(await a.stats()).toMatchObject({ l2Hits: 1, factories: 0 })

    await a.put('/products/3', { price: 45 })
    const c = await startService(here, FAST)
    const changed = [helmet, { ...lock, price: 45 }]
    expect((await c.get('/products/1')).body.accessories).toEqual(changed)
    expect((await a.get('/products/1')).body.accessories).toEqual(changed)
    expect(await c.stats()).toMatchObject({ l2Hits: 0, factories: 1 })
    expect(await a.stats()).toMatchObject({ l2Hits: 2, factories: 0 })
    await Promise.all([a, b, c].map(service => stopWell(service)))
  })

  test('another process sees a change when its own copy is no longer fresh', async () => {
    const here = ground()
    const [a, b] = await Promise.all([
      startService(here, SHORT_LIVED),
      startService(here, SHORT_LIVED),
    ])
    await Promise.all([a.get('/products/1'), b.get('/products/1')])
    await a.put('/products/2', { price: 50 })
    const seen = async () => (await b.get('/products/1')).body.accessories[0].price
    await expect.poll(seen, { timeout: 5_000, interval: 20 }).toBe(50)
    await Promise.all([a, b].map(service => stopWell(service)))
  })

  test('serves what it had while the origin is down, and what another process had', async () => {
    const here = ground()
    const a = await startService(here, SHORT_LIVED)
    const page = await a.get('/products/1')
    const list = await a.get('/products?ids=2,3')
    await a.put('/origin/down')
    await afterTtl()

    const b = await startService(here, SHORT_LIVED)
    await b.put('/origin/down')
    for (const service of [a, b]) {
      expect(await service.get('/products/1')).toEqual(page)
      expect(await service.get('/products?ids=2,3')).toEqual(list)
      expect(await service.stats()).toMatchObject({ failSafes: 3, factoryErrors: 3, l2Errors: 0 })
      // Nothing to fall back on.
      expect(await service.get('/products/2')).toMatchObject({ status: 502 })
      expect(service.log()).toContainEqual(
        expect.objectContaining({ msg: 'a stale value took the place of a factory' }),
      )
    }

    await a.put('/origin/up')
    await a.put('/products/2', { price: 50 })
    expect((await a.get('/products/1')).body.accessories[0].price).toBe(50)
    await Promise.all([a, b].map(service => stopWell(service)))
  })

  test('does not wait for a slow origin where it has something', async () => {
    const service = await startService(ground(), { TTL_MS: '100', ORIGIN_DELAY_MS: '1000' })
    const before = await service.get('/products?ids=2')
    await sleep(150)
    const start = performance.now()
    expect(await service.get('/products?ids=2')).toEqual(before)
    expect(performance.now() - start).toBeLessThan(1_000)
    expect(await service.stats()).toMatchObject({ failSafes: 1, factoryErrors: 0 })
    await stopWell(service)
  })

  test('ends on SIGTERM with the requests under way answered, and leaves nothing behind', async () => {
    const here = ground()
    const service = await startService(here, { ...FAST, ORIGIN_DELAY_MS: '300' })
    // On a connection that is kept, as load balancers do.
    await service.get('/health')
    const underWay = service.get('/products?ids=2')
    await untilItsFactoryRuns(service)
    const start = performance.now()
    const ended = stopWell(service)
    expect(await underWay).toEqual({ status: 200, body: [helmet] })
    await ended
    // Not when the other side lets go of its connections, after 4 s.
    expect(performance.now() - start).toBeLessThan(3_000)
    await expect(fetch(service.url)).rejects.toThrow('fetch failed')
    leftNothing(here)

    // It was stored before the end.
    const next = await startService(here, { ...FAST, ORIGIN_DELAY_MS: '300' })
    expect((await next.get('/products?ids=2')).body).toEqual([helmet])
    expect(await next.stats()).toMatchObject({ l2Hits: 1, factories: 0 })
    await stopWell(next, 'SIGINT')
    leftNothing(here)
  })

  test('has the origin stop when the visitor hangs up', async () => {
    const service = await startService(ground(), { ...FAST, ORIGIN_DELAY_MS: '500' })
    const visit = new AbortController()
    const answer = service.get('/products?ids=2', { signal: visit.signal })
    await untilItsFactoryRuns(service)
    visit.abort()
    await expect(answer).rejects.toThrow()
    await sleep(600)
    expect(await service.stats()).toMatchObject({ factories: 1, factoryErrors: 0, l1Entries: 0 })
    expect(service.log()).toHaveLength(1)
    await stopWell(service)
  })
})

test('without L2 the service goes on, stays ready, and says what it could not tell', async () => {
  const service = await startService(withoutRedis(), FAST)
  expect((await service.get('/products?ids=2,3')).body).toEqual([helmet, lock])
  expect((await service.get('/products?ids=2,3')).body).toEqual([helmet, lock])
  expect(await service.stats()).toMatchObject({ factories: 2, l1Hits: 2 })
  const { status, body } = await service.get('/health')
  expect({ status, body }).toMatchObject({ status: 200, body: { status: 'down' } })
  expect(JSON.stringify(body)).not.toContain('127.0.0.1')
  expect(await service.put('/products/2', { price: 50 })).toMatchObject({ status: 503 })
  expect(service.log()).toContainEqual(expect.objectContaining({ msg: 'L2 failed' }))
  await stopWell(service)
})

async function untilItsFactoryRuns(service: Service): Promise<void> {
  await expect.poll(service.stats, { interval: 10 }).toMatchObject({ factories: 1 })
}

/** Of SQLite's files the database alone: its log is folded in at the end. */
function leftNothing({ program, folder }: Ground): void {
  expect(readdirSync(folder)).toEqual(program === 'with-sqlite' ? ['cache.db'] : [])
}
