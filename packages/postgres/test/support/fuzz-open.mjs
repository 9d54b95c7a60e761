// @ts-check
// What every worker of the fuzzer imports.
import { shiftClock } from './shift-clock.mjs'

const HOUR = 3_600_000

// Of three processes one is an hour behind and one ahead: whose clock is right is the server.
shiftClock(((process.pid % 3) - 1) * HOUR)

const { isL2Error } = await import('@l2/core')
const { PostgresAdapter } = await import('@l2/postgres')
const { HASTE, IN_HASTE } = await import('./fuzz-place.mjs')

/** Adapters take turns, so that each way to Postgres has some. */
let opened = process.pid

/** @param {import('./fuzz-place.mjs').Config} config */
export function open({ ways, ...options }) {
  const way = ways[opened++ % ways.length]
  if (way === undefined) throw new Error('no way to Postgres')
  const adapter = new PostgresAdapter({ ...options, ...way })
  return new Proxy(adapter, { get: telling(way.timeout === HASTE ? IN_HASTE : '') })
}

/**
 * The adapter, whose errors say how they came about.
 *
 * @param {string} start
 * @returns {(adapter: import('@l2/postgres').PostgresAdapter, name: string | symbol) => unknown}
 */
const telling = start => (adapter, name) => {
  const method = Reflect.get(adapter, name)
  if (typeof method !== 'function') return method
  return (/** @type {unknown[]} */ ...args) =>
    method.apply(adapter, args).catch((/** @type {unknown} */ error) => {
      if (isL2Error(error)) error.message = `${start}${error.message} (${error.cause})`
      throw error
    })
}
