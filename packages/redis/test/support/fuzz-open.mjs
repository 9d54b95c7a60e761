// @ts-check
// What every worker of the fuzzer imports.
import { isL2Error } from '@l2/core'
import { RedisAdapter } from '@l2/redis'
import { HASTE, IN_HASTE } from './fuzz-place.mjs'

/** Adapters take turns, so that each way to Redis has some. */
let opened = process.pid

/** @param {import('./fuzz-place.mjs').Config} config */
export function open({ ways, ...options }) {
  const way = ways[opened++ % ways.length]
  if (way === undefined) throw new Error('no way to Redis')
  const adapter = new RedisAdapter({ ...options, ...way })
  return way.timeout === HASTE ? new Proxy(adapter, { get: inHaste }) : adapter
}

/**
 * @param {RedisAdapter} adapter
 * @param {string | symbol} name
 */
function inHaste(adapter, name) {
  const method = Reflect.get(adapter, name)
  if (typeof method !== 'function') return method
  return (/** @type {unknown[]} */ ...args) =>
    method.apply(adapter, args).catch((/** @type {unknown} */ error) => {
      if (isL2Error(error)) error.message = IN_HASTE + error.message
      throw error
    })
}
