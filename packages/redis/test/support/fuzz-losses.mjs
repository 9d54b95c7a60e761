// @ts-check
// What entries may be gone by. None of it may bring one back, or leave one that a tag does not remove.
import { setTimeout as pause } from 'node:timers/promises'
import { CONNECTION_FAULTS, killAndStartAgain } from './fuzz-faults.mjs'
import { onOneRedis, placeOf } from './fuzz-place.mjs'
import { eventually, squeezeFault } from './fuzz-squeeze.mjs'
import { namesUnder } from './look-inside.mjs'

/** @typedef {import('@l2/fuzz').Fault} Fault */

const POLICIES = [
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'volatile-ttl',
]

/** Buckets that lose something at a time, at most. */
const MOST = 16

/**
 * Single keys of the bookkeeping go.
 *
 * @param {'fence' | 'index'} what
 * @returns {Fault}
 */
const without = what => ({
  name: `no ${what}`,
  loses: true,
  inject: scene => {
    const { config, random } = scene
    const names = namesUnder(placeOf(config).prefix)
    return onOneRedis(scene, raw =>
      eventually(`remove a ${what}`, async () => {
        let gone = 0
        for (let left = 1 + random(MOST); left > 0; left--) {
          gone += await raw.del(names[random(names.length)]?.[what] ?? '')
          await pause(random(4))
        }
        return gone > 0
      }),
    )
  },
})

/** @type {Fault[]} */
export const LOSSES = [
  ...CONNECTION_FAULTS,
  without('fence'),
  without('index'),
  {
    name: 'flushall',
    loses: true,
    inject: scene =>
      onOneRedis(scene, async raw => {
        await raw.call('FLUSHALL', scene.random(2) === 0 ? 'ASYNC' : 'SYNC')
      }),
  },
  {
    name: 'kill server',
    causes: ['L2_UNAVAILABLE'],
    loses: true,
    inject: killAndStartAgain,
  },
  ...POLICIES.map(squeezeFault),
]
