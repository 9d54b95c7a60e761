// @ts-check
import { setTimeout as pause } from 'node:timers/promises'
import { onOneRedis } from './fuzz-place.mjs'

/** @typedef {import('ioredis').Redis} Redis */

/** In which something that workers bring about has to happen, in ms. */
const PATIENCE = 20_000

/**
 * Goes on until it had an effect: a fault that met nothing would not count.
 *
 * @param {string} what
 * @param {() => Promise<boolean>} attempt
 */
export async function eventually(what, attempt) {
  const end = performance.now() + PATIENCE
  while (!(await attempt())) if (performance.now() > end) throw new Error(`it did not ${what}`)
}

/**
 * Redis has less room than it uses, for a while and with one policy for what to do about it.
 *
 * @param {string} policy a `maxmemory-policy`
 * @returns {import('@l2/fuzz').Fault}
 */
export function squeezeFault(policy) {
  const refuses = policy === 'noeviction'
  return {
    name: policy,
    causes: ['L2_FULL'],
    loses: !refuses,
    inject: scene =>
      onOneRedis(scene, async raw => {
        await raw.config('SET', 'maxmemory-policy', policy)
        const seen = refuses ? refused : evicted
        const before = await seen(raw)
        try {
          await eventually(refuses ? 'refuse a write' : 'evict anything', async () => {
            const room = ((await usedMemory(raw)) * (70 + scene.random(30))) / 100
            await raw.config('SET', 'maxmemory', Math.floor(room))
            await pause(5 + scene.random(30))
            // Where nothing may be evicted, there must be room for what may.
            await raw.config('SET', 'maxmemory', 0)
            return (await seen(raw)) > before
          })
        } finally {
          await raw.config('SET', 'maxmemory', 0)
        }
      }),
  }
}

/**
 * How often a Redis has answered with an error.
 *
 * @param {Redis} raw
 * @param {string} word its first
 */
export const refusals = (raw, word) =>
  numberIn(raw, 'errorstats', new RegExp(`errorstat_${word}:count=(\\d+)`))

const evicted = (/** @type {Redis} */ raw) => numberIn(raw, 'stats', /evicted_keys:(\d+)/)
const refused = (/** @type {Redis} */ raw) => refusals(raw, 'OOM')
const usedMemory = (/** @type {Redis} */ raw) => numberIn(raw, 'memory', /used_memory:(\d+)/)

/**
 * @param {Redis} raw
 * @param {string} section of INFO
 * @param {RegExp} pattern
 */
async function numberIn(raw, section, pattern) {
  return Number(pattern.exec(await raw.info(section))?.[1] ?? 0)
}
