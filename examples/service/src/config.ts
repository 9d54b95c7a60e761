const { env } = process

/** 0 is any free one. */
export const port = Number(env['PORT'] ?? 3000)
/** Processes with the same one share their entries. */
export const prefix = env['CACHE_PREFIX'] ?? 'shop:'
export const postgresUrl = env['POSTGRES_URL'] ?? 'postgres://localhost/shop'
export const redisUrl = env['REDIS_URL'] ?? 'redis://localhost'
/** How long entries are fresh. */
export const ttlMs = Number(env['TTL_MS'] ?? 10_000)
/** How long the origin takes for an answer. */
export const originDelayMs = Number(env['ORIGIN_DELAY_MS'] ?? 300)
