// @ts-check
// What is broken around the adapters and loses nothing that was acknowledged.
import { setTimeout as pause } from 'node:timers/promises'
import { HASTE, placeOf } from './fuzz-place.mjs'
import { eventually, squeezeFault } from './fuzz-squeeze.mjs'
import { namesUnder } from './look-inside.mjs'

/** @typedef {import('@l2/fuzz').Fault} Fault */
/** @typedef {import('@l2/fuzz').Scene} Scene */

/** The longest stall, in ms: adapters that are in haste give up long before. */
export const LONGEST_STALL = HASTE + 600

const LOST = ['L2_UNAVAILABLE']

const briefly = (/** @type {Scene} */ { random }) => pause(5 + random(200))

const beyondHaste = (/** @type {Scene} */ { random }) => pause(HASTE + 50 + random(300))

/** One of the ways to Redis. */
function proxyOf(/** @type {Scene} */ { config, random }) {
  const { proxies } = placeOf(config)
  const proxy = proxies[random(proxies.length)]
  if (proxy === undefined) throw new Error('no proxy')
  return proxy
}

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
  const { hastyProxy } = placeOf(config)
  hastyProxy.stall()
  if (random(4) > 0) hastyProxy.open()
  await pause(HASTE + 50 + random(LONGEST_STALL - HASTE - 50))
  hastyProxy.resume()
}

/** The Redis hangs, while the kernel takes what is sent to it. */
const frozen = (/** @type {typeof briefly} */ wait) => async (/** @type {Scene} */ scene) => {
  const info = await placeOf(scene.config).asStranger(raw => raw.info('server'))
  const pid = Number(/process_id:(\d+)/.exec(info)?.[1])
  process.kill(pid, 'SIGSTOP')
  await wait(scene)
  process.kill(pid, 'SIGCONT')
}

export async function killAndStartAgain(/** @type {Scene} */ { config }) {
  const { server } = placeOf(config)
  await server.kill()
  await server.startAgain()
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
    inject: ({ config }) =>
      placeOf(config).asStranger(async raw => {
        await raw.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      }),
  },
  { name: 'stall', inject: stall },
  { name: 'long stall', inject: longStall },
  {
    name: 'script flush',
    inject: ({ config, random }) =>
      placeOf(config).asStranger(async raw => {
        await raw.call('SCRIPT', 'FLUSH', random(2) === 0 ? 'ASYNC' : 'SYNC')
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
    inject: ({ config, random }) =>
      placeOf(config).asStranger(async raw => {
        const ms = 5 + random(200)
        await raw.call('CLIENT', 'PAUSE', ms, random(2) === 0 ? 'ALL' : 'WRITE')
        await pause(ms)
      }),
  },
  {
    // With an append-only file that is synced always, which may be rewritten just then.
    name: 'kill server',
    causes: LOST,
    async inject(scene) {
      const { config, random } = scene
      if (random(2) === 0)
        await placeOf(config).asStranger(async raw => {
          await raw.bgrewriteaof()
        })
      await pause(random(30))
      await killAndStartAgain(scene)
    },
  },
  {
    // What is sent comes in pieces, so that there is a moment between a draft and what makes it a record.
    name: 'no drafts',
    async inject({ config }) {
      const place = placeOf(config)
      const { proxies, prefix } = place
      for (const proxy of proxies) proxy.fray(true)
      try {
        const patterns = namesUnder(prefix).map(({ start }) => `${escaped(start)}d*`)
        await place.asStranger(raw =>
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
