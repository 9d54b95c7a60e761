// @ts-check
// Slots of a cluster that go from node to node while they are in use.
import { setTimeout as pause } from 'node:timers/promises'
import { killClients } from './fuzz-faults.mjs'
import { oneOf, placeOf } from './fuzz-place.mjs'
import { eventually, refusals } from './fuzz-squeeze.mjs'
import { namesUnder } from './look-inside.mjs'
import { SlotMove } from './slot-move.mjs'

/** @typedef {import('@l2/fuzz').Fault} Fault */
/** @typedef {import('@l2/fuzz').Scene} Scene */

/** Slots that move at once, or one after another, at most. */
const MOST = 8

/** How long what has moved in part may stay so, in ms: longer than a `deleteByTag` waits for it. */
const LONGEST_PART = 800

/**
 * Begins to move the slots of some buckets, each to any other node.
 *
 * @param {Scene} scene
 * @param {import('./redis-places.mjs').Place} inside
 */
async function begin({ config, random }, { raw, clients }) {
  const buckets = namesUnder(placeOf(config).prefix)
  const names = Array.from({ length: 1 + random(MOST) }, () => oneOf(random, buckets).fence)
  const slots = await Promise.all([...new Set(names)].map(name => raw.cluster('KEYSLOT', name)))
  const moves = []
  for (const slot of slots) {
    const to = random(clients.length)
    const first = await SlotMove.of(clients, slot, to)
    const move = first.isNeeded
      ? first
      : await SlotMove.of(clients, slot, (to + 1) % clients.length)
    await move.begin()
    moves.push(move)
  }
  return moves
}

/** Goes on until a node has refused something in that way since. */
async function awaitRefusal(
  /** @type {import('ioredis').Redis[]} */ clients,
  /** @type {string} */ word,
  /** @type {() => Promise<void>} */ work,
) {
  const count = async () => {
    const counts = await Promise.all(clients.map(client => refusals(client, word)))
    return counts.reduce((sum, one) => sum + one)
  }
  const before = await count()
  await work()
  await eventually(`have a node say ${word}`, async () => {
    await pause(5)
    return (await count()) > before
  })
}

/** @type {Fault[]} */
export const MOVES = [
  {
    // Key by key, with calls in between.
    name: 'slots move',
    // A `deleteByTag` that saw it begin and comes back late has all tagged entries of the slot go.
    loses: true,
    inject: scene =>
      placeOf(scene.config).inside(async inside => {
        await awaitRefusal(inside.clients, 'MOVED', async () => {
          for (const move of await begin(scene, inside)) {
            while ((await move.keys(undefined, 1 + scene.random(3))) > 0);
            await move.end()
          }
        })
      }),
  },
  {
    // Some keys are here, some there, for long; and now and then connections end meanwhile.
    name: 'slots half-way',
    causes: ['L2_UNAVAILABLE'],
    loses: true,
    inject: scene =>
      placeOf(scene.config).inside(async inside => {
        const moves = await begin(scene, inside)
        await awaitRefusal(inside.clients, 'ASK', async () => {
          for (const move of moves) await move.keys(() => scene.random(2) === 0)
          await pause(scene.random(LONGEST_PART / 2))
          if (scene.random(2) === 0) await killClients(scene)
          await pause(scene.random(LONGEST_PART / 2))
        })
        for (const move of moves) await move.end()
      }),
  },
]
