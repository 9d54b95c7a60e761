import { isL2Error } from '@l2/cache'
import type { ErrorHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { logger } from './logger.js'

/** What the client gets where a route failed. */
export const answerError: ErrorHandler = (error, c) => {
  if (error instanceof HTTPException) return c.json({ error: error.message }, error.status)
  if (isL2Error(error) && error.code === 'L2_FACTORY_TIMEOUT')
    return c.json({ error: 'this takes too long' }, 504)
  logger.error({ err: error }, 'a request failed')
  if (isL2Error(error) && error.retryable)
    return c.json({ error: 'not everybody knows of it yet: do it again' }, 503, {
      'Retry-After': '1',
    })
  return c.json({ error: 'the origin failed' }, 502)
}
