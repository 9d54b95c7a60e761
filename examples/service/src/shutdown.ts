import type { Server } from 'node:http'
import { promisify } from 'node:util'
import { logger } from './logger.js'

/** Less than what orchestrators allow before they kill: 30 s on Kubernetes, 10 s with Docker. */
const PATIENCE_MS = 8_000

/** Runs `stop` on the first SIGTERM or SIGINT. Once it is done nothing keeps the process alive. */
export function onStop(stop: () => Promise<void>): void {
  let isStopping = false
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, async () => {
      if (isStopping) return
      isStopping = true
      logger.info({ signal }, 'stopping')
      await stop()
      logger.info({}, 'stopped')
    })
  }
}

/** Takes no more connections, and resolves when the requests under way have their answers. */
export async function stopServer(server: Server): Promise<void> {
  // close() ends the connections that are idle now; these become so with their answers.
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  const late = setTimeout(() => server.closeAllConnections(), PATIENCE_MS)
  await promisify(server.close.bind(server))()
  clearInterval(idle)
  clearTimeout(late)
}
