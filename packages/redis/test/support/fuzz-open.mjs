// @ts-check
// What every worker of the fuzzer imports.
import { RedisAdapter } from '@l2/redis'

/** Adapters take turns, so that each way to Redis has some. */
let opened = process.pid

/** @param {import('./fuzz-place.mjs').Config} config */
export function open({ ways, ...options }) {
  const way = ways[opened++ % ways.length]
  if (way === undefined) throw new Error('no way to Redis')
  return new RedisAdapter({ ...options, ...way })
}
