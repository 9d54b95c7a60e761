import type { Server } from 'node:http'
import { serve } from '@hono/node-server'
import type { Adapter } from '@l2/cache'
import { appOf } from './app.js'
import { openCache } from './cache.js'
import { Catalog } from './catalog.js'
import { originDelayMs, port } from './config.js'
import { logger } from './logger.js'
import { Origin } from './origin.js'
import { onStop, stopServer } from './shutdown.js'

/** Serves until SIGTERM or SIGINT. @param l2 any adapter: this is the line that changes. */
export function runService(l2: Adapter & { close(): Promise<void> }): void {
  const cache = openCache(l2)
  const origin = new Origin(originDelayMs)
  const app = appOf(cache, new Catalog(cache, origin), origin)
  const server = serve({ fetch: app.fetch, port }, ({ port }) => logger.info({ port }, 'listening'))

  // From the outside in: each may still need the next one.
  onStop(async () => {
    // HTTP/1, since nothing else was asked for.
    await stopServer(server as Server)
    await cache.close()
    await l2.close()
  })
}
