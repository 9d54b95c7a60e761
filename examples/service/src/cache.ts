import { type Adapter, Cache } from '@l2/cache'
import { ttlMs } from './config.js'
import { logger } from './logger.js'

/** What all entries of this service have in common is said here, once; routes say the rest. */
export const openCache = (l2: Adapter): Cache =>
  new Cache({
    l2,
    logger,
    defaults: {
      // Also how long another process may go on serving its own copy of what was changed here.
      ttl: ttlMs,
      // While the origin is down, visitors see what was right within the last hour.
      failSafe: { maxDuration: '1h', throttle: '2s' },
      // With a stale value at hand nobody waits for a slow origin; without one nobody waits for ever.
      factoryTimeouts: { soft: '100ms', hard: '5s' },
    },
  })
