import { inspect } from 'node:util'
import type { Logger } from '@l2/cache'

/** One line of JSON each, as pino writes them. `pino()` itself can stand here. */
export const logger: Logger = {
  error: (details, message) => write('error', details, message),
  warn: (details, message) => write('warn', details, message),
  info: (details, message) => write('info', details, message),
}

function write(level: string, details: object, msg: string): void {
  // JSON makes {} of an error.
  const { err, ...rest } = details as { err?: unknown }
  const error = err === undefined ? {} : { err: inspect(err) }
  console.log(JSON.stringify({ level, pid: process.pid, msg, ...rest, ...error }))
}
