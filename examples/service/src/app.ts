import type { Cache } from '@l2/cache'
import { Hono } from 'hono'
import type { Catalog } from './catalog.js'
import { answerError } from './errors.js'
import type { Origin } from './origin.js'
import { parseChanges, parseId, parseIds } from './requests.js'

/** The routes. */
export function appOf(cache: Cache, catalog: Catalog, origin: Origin): Hono {
  const app = new Hono()
  app.onError(answerError)

  app.get('/products/:id', async c => {
    const page = await catalog.page(parseId(c.req.param('id')), c.req.raw.signal)
    return page === null ? c.json({ error: 'no such product' }, 404) : c.json(page)
  })

  app.get('/products', async c => {
    const ids = parseIds(c.req.query('ids'))
    return c.json(await catalog.products(ids, c.req.raw.signal))
  })

  app.put('/products/:id', async c => {
    const changes = parseChanges(await c.req.text())
    const product = await catalog.change(parseId(c.req.param('id')), changes)
    return product === undefined ? c.json({ error: 'no such product' }, 404) : c.json(product)
  })

  // Readiness is 200 with L2 down as well: the process goes on from its own memory and the origin.
  // All processes share L2, so a 503 would take all of them from the load balancer at once, and make
  // an outage of the whole service out of one of its cache. Have `status` raise an alarm instead.
  app.get('/health', async c => {
    const { status, l1, l2 } = await cache.health()
    // Without the error, which names hosts: the logger is told of it.
    return c.json({ status, l1, l2: { ...l2, error: undefined } })
  })

  app.get('/stats', c => c.json(cache.stats()))

  // For trying fail-safe out. Your database brings this by itself.
  app.put('/origin/:state{up|down}', c => {
    origin.isDown = c.req.param('state') === 'down'
    return c.json({ isDown: origin.isDown })
  })

  return app
}
