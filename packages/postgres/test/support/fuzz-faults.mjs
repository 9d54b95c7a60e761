// @ts-check
// What is broken around the adapters. All but a crash loses nothing that was acknowledged.
import { setTimeout as pause } from 'node:timers/promises'
import { faultsSeen } from './fuzz-look.mjs'
import { HASTE, placeOf } from './fuzz-place.mjs'
import { backends, eventually, frozen, processes, waiting } from './fuzz-victims.mjs'

/** @typedef {import('@l2/fuzz').Fault} Fault */
/** @typedef {import('@l2/fuzz').Scene} Scene */
/** @typedef {import('./fuzz-place.mjs').Place} Place */

/** The longest time for which anything hangs, in ms: adapters that are in haste give up long before. */
export const LONGEST = HASTE + 600

const LOST = ['L2_UNAVAILABLE']

const briefly = (/** @type {Scene} */ { random }) => pause(5 + random(200))

const beyondHaste = (/** @type {Scene} */ { random }) =>
  pause(HASTE + 50 + random(LONGEST - HASTE - 50))

const eitherWay = (/** @type {Scene} */ scene) =>
  scene.random(2) === 0 ? briefly(scene) : beyondHaste(scene)

/**
 * @template T
 * @param {Scene['random']} random
 * @param {readonly T[]} list
 */
const oneOf = (random, list) => /** @type {T} */ (list[random(list.length)])

const proxyOf = (/** @type {Scene} */ { config, random }) => {
  const { proxy, hastyProxy } = placeOf(config).ground
  return oneOf(random, [proxy, hastyProxy])
}

/**
 * Does something with the tables as another program, once they are there.
 *
 * @param {Scene} scene
 * @param {(raw: import('pg').Client, place: Place) => Promise<unknown>} work
 */
function amongTables({ config }, work) {
  const place = placeOf(config)
  return place.ground.asStranger(async raw => {
    await eventually('make the tables', async () => {
      const { rows } = await raw.query('SELECT to_regclass($1) IS NOT NULL AS made', [place.tags])
      return rows[0].made
    })
    await work(raw, place)
  })
}

/** Backends of all adapters, or of some; a PgBouncer may not want to log in for a second then. */
const end =
  (/** @type {string} */ how) =>
  async (/** @type {Scene} */ { config, random }) => {
    const { ground } = placeOf(config)
    await ground.asStranger(async raw => {
      const pids = await backends(raw)
      const some = random(2) === 0 ? pids : pids.filter(() => random(3) === 0)
      await raw.query(`SELECT ${how}(pid) FROM unnest($1::int[]) pid`, [some])
    })
    await ground.works()
  }

/** @param {Scene} scene @param {'stopAtOnce' | 'kill' | 'stop'} how */
async function restart({ config, random }, how) {
  const { ground } = placeOf(config)
  await pause(random(30))
  await ground.server[how]()
  await pause(random(50))
  await ground.server.startAgain()
  await ground.works()
}

/** @type {Fault[]} */
export const FAULTS = [
  { name: 'terminate', causes: LOST, inject: end('pg_terminate_backend') },
  // Who is just logging in is turned away.
  { name: 'cancel', causes: ['L2_TIMEOUT', ...LOST], inject: end('pg_cancel_backend') },
  {
    name: 'cut',
    causes: LOST,
    async inject(scene) {
      const proxy = proxyOf(scene)
      proxy.cut()
      await pause(scene.random(60))
      proxy.open()
    },
  },
  {
    name: 'stall',
    async inject(scene) {
      const proxy = proxyOf(scene)
      if (scene.random(2) === 0) proxy.stall()
      else proxy.stallRequests()
      await briefly(scene)
      proxy.resume()
    },
  },
  {
    // Mostly new connections don't hang: what was given up on the old one comes when its adapter has
    // long gone on.
    name: 'long stall',
    async inject(scene) {
      const { hastyProxy } = placeOf(scene.config).ground
      hastyProxy.stall()
      if (scene.random(4) > 0) hastyProxy.open()
      await beyondHaste(scene)
      hastyProxy.resume()
    },
  },
  {
    // With whatever they hold, while the kernel takes what is sent to them.
    name: 'freeze backends',
    async inject(scene) {
      const pids = await placeOf(scene.config).ground.asStranger(backends)
      const some = pids.filter(() => scene.random(2) === 0)
      await frozen(some, () => eitherWay(scene))
    },
  },
  {
    name: 'freeze server',
    async inject(scene) {
      const pids = await placeOf(scene.config).ground.asStranger(processes)
      await frozen(pids, () => eitherWay(scene))
    },
  },
  {
    name: 'row locks',
    inject: scene =>
      amongTables(scene, async (raw, { entries }) => {
        const some = `get_byte(h, 10) % 3 >= ${scene.random(3)}`
        await eventually('set anything', async () => {
          await raw.query('BEGIN')
          // In the order that all keep who lock several rows.
          const { rowCount } = await raw.query(
            `SELECT FROM ${entries} WHERE ${some} ORDER BY h FOR UPDATE`,
          )
          if (rowCount === 0) await raw.query('COMMIT')
          return rowCount !== 0
        })
        await eitherWay(scene)
        await raw.query('COMMIT')
      }),
  },
  {
    // What waited for a row goes on when its adapter has given it up, and the row is free for younger
    // ones.
    name: 'freeze who waits',
    inject: scene =>
      amongTables(scene, async (raw, { entries }) => {
        /** @type {number[]} */
        let pids = []
        await eventually('wait for a row', async () => {
          await raw.query(`BEGIN; SELECT FROM ${entries} ORDER BY h FOR UPDATE`)
          await pause(20)
          pids = await waiting(raw)
          if (pids.length === 0) await raw.query('COMMIT')
          return pids.length > 0
        })
        await frozen(pids, async () => {
          await raw.query('COMMIT')
          await beyondHaste(scene)
        })
      }),
  },
  {
    name: 'table lock',
    inject: scene =>
      amongTables(scene, async (raw, { entries, tags }) => {
        const mode = oneOf(scene.random, ['SHARE', 'SHARE', 'EXCLUSIVE', 'ACCESS EXCLUSIVE'])
        const table = oneOf(scene.random, [entries, tags])
        await raw.query(`BEGIN; LOCK TABLE ${table} IN ${mode} MODE`)
        await eitherWay(scene)
        await raw.query('COMMIT')
      }),
  },
  {
    name: 'old snapshot',
    inject: scene =>
      amongTables(scene, async (raw, place) => {
        await raw.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
        await raw.query(`SELECT count(*) FROM ${place.entries}`)
        await briefly(scene)
        // One moment in the middle of it all, half of which may be of processes that are dead.
        for (const fault of await faultsSeen(place, raw)) scene.found(fault)
        await raw.query('COMMIT')
      }),
  },
  {
    name: 'vacuum',
    inject: scene =>
      amongTables(scene, async (raw, { entries, tags }) => {
        const what = oneOf(scene.random, ['VACUUM', 'ANALYZE', 'VACUUM ANALYZE', 'VACUUM FULL'])
        for (const table of [entries, tags]) await raw.query(`${what} ${table}`)
      }),
  },
  { name: 'restart', causes: LOST, inject: scene => restart(scene, 'stop') },
  {
    // UNLOGGED tables come back empty.
    name: 'crash',
    causes: LOST,
    loses: true,
    inject: scene => restart(scene, scene.random(3) > 0 ? 'stopAtOnce' : 'kill'),
  },
]

/** @param {Scene} scene @param {(admin: import('pg').Client) => Promise<void>} work */
async function administer({ config }, work) {
  const { ground } = placeOf(config)
  await ground.asAdministrator(work)
  await ground.works()
}

/** Where a PgBouncer is in between. @type {Fault[]} */
export const BOUNCER_FAULTS = [
  {
    name: 'kill bouncer',
    causes: LOST,
    async inject({ config, random }) {
      const { ground } = placeOf(config)
      await ground.pooler?.kill()
      await pause(random(60))
      await ground.pooler?.startAgain()
    },
  },
  {
    // It ends connections that are logging in to the server, and tells who waits for them.
    name: 'pause bouncer',
    causes: LOST,
    inject: scene =>
      administer(scene, async admin => {
        await admin.query('PAUSE')
        await eitherWay(scene)
        await admin.query('RESUME')
      }),
  },
  {
    name: 'reconnect bouncer',
    causes: LOST,
    inject: scene =>
      administer(scene, async admin => {
        await admin.query('RECONNECT')
      }),
  },
]

/**
 * The tables of somebody who made only that of the entries LOGGED: after a crash these are there, and
 * their tag rows are not.
 *
 * @type {Fault}
 */
export const HALF_LOGGED_CRASH = {
  name: 'half logged crash',
  causes: LOST,
  loses: true,
  async inject(scene) {
    await amongTables(scene, (raw, { entries }) => raw.query(`ALTER TABLE ${entries} SET LOGGED`))
    await restart(scene, 'stopAtOnce')
  },
}
