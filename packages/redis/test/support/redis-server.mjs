// @ts-check
import { Redis } from 'ioredis'

/** The Redis that the test command started, or that the environment names. */
export function redisUrl() {
  const url = process.env['L2_REDIS_URL']
  if (url) return url
  throw new Error('L2_REDIS_URL is not set: run tests through "pnpm test", which starts servers')
}

/** The same Redis by way of a port of this machine. */
export function redisUrlAt(/** @type {number} */ port) {
  const url = new URL(redisUrl())
  url.hostname = '127.0.0.1'
  url.port = String(port)
  return url.href
}

/** Where it listens. */
export function redisAddress() {
  const { hostname, port } = new URL(redisUrl())
  return { host: hostname, port: Number(port || 6379) }
}

/** A client of our own, to look inside and to disturb. */
export const rawClient = (url = redisUrl()) => new Redis(url, { maxRetriesPerRequest: 0 })
