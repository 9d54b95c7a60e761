// @ts-check
// What is broken around the adapters and loses nothing that was acknowledged.
import { setTimeout as pause } from 'node:timers/promises'
import { HASTE, oneOf, onOneRedis, placeOf } from './fuzz-place.mjs'
import { eventually, squeezeFault } from './fuzz-squeeze.mjs'
import { namesUnder } from './look-inside.mjs'

/** @typedef {import('@l2/fuzz').Fault} Fault */
/** @typedef {import('@l2/fuzz').Scene} Scene */

/** The longest stall, in ms: adapters that are in haste give up long before. */
export const LONGEST_STALL = HASTE + 600

const LOST = ['L2_UNAVAILABLE']

const briefly = (/** @type {Scene} */ { random }) => pause(5 + random(200))

const beyondHaste = (/** @type {Scene} */ { random }) => pause(HASTE + 50 + random(300))

/** On one of the ways to one Redis. */
const proxyOf = (/** @type {Scene} */ { config, random }) => oneOf(random, placeOf(config).proxies)

/** Nothing gets through on one of the ways, and comes late. */
async function stall(/** @type {Scene} */ scene) {
  const proxy = proxyOf(scene)
  proxy.stall()
  await briefly(scene)
  proxy.resume()
}

/**
 * Connections of those in haste hang, and mostly new ones don't: what was given up on the old one comes
 * when its adapter has long gone on.
 */
async function longStall(/** @type {Scene} */ { config, random }) {
  const hastyProxy = oneOf(random, placeOf(config).hastyProxies)
  hastyProxy.stall()
  if (random(4) > 0) hastyProxy.open()
  await pause(HASTE + 50 + random(LONGEST_STALL - HASTE - 50))
  hastyProxy.resume()
}

export const killClients = (/** @type {Scene} */ scene) =>
  onOneRedis(scene, async raw => {
    await raw.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  })

/** The Redis hangs, while the kernel takes what is sent to it. */
const frozen = (/** @type {typeof briefly} */ wait) => async (/** @type {Scene} */ scene) => {
  const info = await onOneRedis(scene, raw => raw.info('server'))
  const pid = Number(/process_id:(\d+)/.exec(info)?.[1])
  process.kill(pid, 'SIGSTOP')
  await wait(scene)
  process.kill(pid, 'SIGCONT')
}

export async function killAndStartAgain(/** @type {Scene} */ { config, random }) {
  const place = placeOf(config)
  const server = oneOf(random, place.servers)
  await server.kill()
  await server.startAgain()
  // A node of a cluster takes no calls for two seconds, as others may have got its slots.
  await place.asStranger(server, raw =>
    eventually('take calls', async () => {
      await pause(20)
      return !(await raw.exists('any').then(String, String)).includes('CLUSTERDOWN')
    }),
  )
}

/** A Lua script that removes all drafts there are. */
const REMOVE_DRAFTS = `
local gone = 0
for _, pattern in ipairs(ARGV) do
  for _, name in ipairs(redis.call('KEYS', pattern)) do gone = gone + redis.call('DEL', name) end
end
return gone`

/** On any way. @type {Fault[]} */
export const CONNECTION_FAULTS = [
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
    name: 'client kill',
    causes: LOST,
    inject: killClients,
  },
  { name: 'stall', inject: stall },
  { name: 'long stall', inject: longStall },
  {
    name: 'script flush',
    inject: scene =>
      onOneRedis(scene, async raw => {
        await raw.call('SCRIPT', 'FLUSH', scene.random(2) === 0 ? 'ASYNC' : 'SYNC')
      }),
  },
]

/** @type {Fault[]} */
export const HARMLESS_FAULTS = [
  ...CONNECTION_FAULTS,
  { name: 'freeze', inject: frozen(briefly) },
  { name: 'long freeze', inject: frozen(beyondHaste) },
  {
    name: 'client pause',
    inject: scene =>
      onOneRedis(scene, async raw => {
        const ms = 5 + scene.random(200)
        await raw.call('CLIENT', 'PAUSE', ms, scene.random(2) === 0 ? 'ALL' : 'WRITE')
        await pause(ms)
      }),
  },
  {
    // With an append-only file that is synced always, which may be rewritten just then.
    name: 'kill server',
    causes: LOST,
    async inject(scene) {
      if (scene.random(2) === 0)
        await onOneRedis(scene, async raw => {
          await raw.bgrewriteaof()
        })
      await pause(scene.random(30))
      await killAndStartAgain(scene)
    },
  },
  {
    // What is sent comes in pieces, so that there is a moment between a draft and what makes it a record.
    name: 'no drafts',
    async inject(scene) {
      const { proxies, prefix } = placeOf(scene.config)
      for (const proxy of proxies) proxy.fray(true)
      try {
        const patterns = namesUnder(prefix).map(({ start }) => `${escaped(start)}d*`)
        await onOneRedis(scene, raw =>
          eventually(
            'remove a draft',
            async () => Number(await raw.eval(REMOVE_DRAFTS, 0, ...patterns)) > 0,
          ),
        )
      } finally {
        for (const proxy of proxies) proxy.fray(false)
      }
    },
  },
  squeezeFault('noeviction'),
]

const escaped = (/** @type {string} */ name) => name.replace(/[*?[\]\\]/g, '\\$&')
