import type { Events } from './events.js'

/** What pino, and most loggers since, can be called with. */
export interface Logger {
  error(details: object, message: string): void
  warn(details: object, message: string): void
  info(details: object, message: string): void
}

/** Has `logger` told of what goes wrong, and of L2's coming back. */
export function logTo(logger: Logger, events: Events): void {
  events.on('l2Error', ({ error, ...rest }) => logger.warn({ err: error, ...rest }, 'L2 failed'))
  events.on('factoryError', ({ error, ...rest }) =>
    logger.warn({ err: error, ...rest }, 'a factory failed'),
  )
  events.on('failSafe', ({ error, ...rest }) =>
    logger.warn({ err: error, ...rest }, 'a stale value took the place of a factory'),
  )
  events.on('corrupt', ({ error, ...rest }) =>
    logger.warn({ err: error, ...rest }, 'an entry in L2 is unreadable'),
  )
  events.on('breaker', event => {
    if (event.state === 'closed') logger.info({}, 'L2 answers again: the breaker is closed')
    else
      logger.error(
        { err: event.error, cause: event.cause },
        'L2 is left alone until it answers a ping: the breaker is open',
      )
  })
}
