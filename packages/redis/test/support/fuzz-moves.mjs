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
const MOST = 24

/**
 * Some of the time for which what has moved in part stays so, in ms: longer than a `deleteByTag` waits for
 * it, and than a call is sent to and fro.
 */
const part = (/** @type {Scene} */ { random }) => pause(300 + random(500))

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

/**
 * Some keys are here, some there, for long.
 *
 * @param {Scene} scene
 * @param {() => Promise<unknown>} [meanwhile]
 */
const halfWay = (scene, meanwhile = async () => {}) =>
  placeOf(scene.config).inside(async inside => {
    const moves = await begin(scene, inside)
    await awaitRefusal(inside.clients, 'ASK', async () => {
      for (const move of moves) await move.keys(() => scene.random(2) === 0)
      await part(scene)
      await meanwhile()
      await part(scene)
    })
    for (const move of moves) await move.end()
  })

/**
 * Each may lose something: a `deleteByTag` that has waited for long has all tagged entries of a slot go.
 *
 * @type {Fault[]}
 */
export const MOVES = [
  {
    // Key by key, with calls in between.
    name: 'slots move',
    loses: true,
    inject: scene =>
      placeOf(scene.config).inside(inside =>
        awaitRefusal(inside.clients, 'MOVED', async () => {
          for (const move of await begin(scene, inside)) {
            while ((await move.keys(undefined, 1 + scene.random(3))) > 0);
            await move.end()
          }
        }),
      ),
  },
  { name: 'slots half-way', loses: true, inject: scene => halfWay(scene) },
  {
    name: 'slots half-way, client kill',
    causes: ['L2_UNAVAILABLE'],
    loses: true,
    inject: scene => halfWay(scene, () => killClients(scene)),
  },
]
