// @ts-check
import { HARMLESS_FAULTS, LONGEST_STALL } from './fuzz-faults.mjs'
import { bookkeepingLeft, faultsUnder } from './fuzz-look.mjs'
import { LOSSES } from './fuzz-losses.mjs'
import { MOVES } from './fuzz-moves.mjs'
import { open } from './fuzz-open.mjs'
import { IN_HASTE, onOneRedis, Place, TIMEOUT } from './fuzz-place.mjs'
import { allUnder, namesUnder } from './look-inside.mjs'

/** @typedef {import('@l2/fuzz').Fault} Fault */
/** @typedef {import('@l2/fuzz').Subject} Subject */

/** Characters that mean something in Redis, all of which must mean nothing. */
const PREFIX = 'fuzz *[x]{0}%:'

/** What a call fails with whose timeout is over, or that of another one on its connection. */
const GIVEN_UP = new Set(['L2_TIMEOUT', 'L2_UNAVAILABLE'])

/**
 * RedisAdapter over a Redis or a cluster that each round has to itself.
 *
 * @param {string} name
 * @param {string[]} settings lines of redis.conf
 * @param {readonly Fault[]} faults
 * @param {Partial<Subject> & { setup?: import('./fuzz-place.mjs').Setup }} [others]
 * @returns {Subject}
 */
function subjectOf(name, settings, faults, { setup = {}, ...others } = {}) {
  return {
    name,
    module: new URL('fuzz-open.mjs', import.meta.url).href,
    timeout: TIMEOUT,
    // On a machine that has much else to do, nothing needs to be broken for that.
    excuses: (code, message) => GIVEN_UP.has(code) && message.startsWith(IN_HASTE),
    // What a dead process has sent, and a stall has held back.
    lingering: LONGEST_STALL + 1_000,
    // More of the values are large enough for drafts.
    scale: 8,
    faults,
    ...others,

    async stage() {
      const options = { prefix: PREFIX, sweepInterval: 200 }
      const place = await Place.open(settings, options, setup)
      return {
        config: place.config,
        calm: place.calm,
        inspect: () => place.inside(({ raw }) => faultsUnder(raw, PREFIX)),
        residue: () =>
          place.inside(async ({ raw }) => {
            const adapter = open(place.calm)
            await adapter.sweep()
            const swept = await bookkeepingLeft(raw, PREFIX)
            await adapter.clear()
            await adapter.close()
            return swept + (await allUnder(raw, PREFIX)).length
          }),
        close: () => place.close(),
      }
    },
  }
}

/** Of a Redis that loses nothing: it writes all down before it answers. */
const DURABLE = ['appendonly yes', 'appendfsync always']

export const subject = subjectOf('redis', DURABLE, HARMLESS_FAULTS)

/** Nodes that lose nothing, and slots that move between them. */
export const cluster = subjectOf(
  'redis cluster',
  // What hangs for a while is not to be taken for dead, as it is after one second otherwise.
  [...DURABLE, 'cluster-node-timeout 5000'],
  [...HARMLESS_FAULTS, ...MOVES],
  { setup: { nodes: 3 } },
)

/** One that loses whatever can be lost, by eviction under each policy, by a restart and by others. */
export const lossy = subjectOf('redis lossy', [], LOSSES)

/**
 * As if there were no fence: an index is new, and what the old one knew can still be read. The fuzzer
 * must find it.
 */
export const unfenced = subjectOf(
  'redis unfenced',
  [],
  [
    {
      name: 'new index',
      loses: true,
      inject: scene =>
        onOneRedis(scene, async raw => {
          const work = raw.multi()
          const member = Buffer.from('tag\xffkey', 'latin1')
          for (const { index } of namesUnder(PREFIX)) work.del(index).zadd(index, 0, member)
          await work.exec()
        }),
    },
  ],
  { hasBug: true },
)

/**
 * A new connection can't end the one that was given up: what was sent there comes late, and undoes what
 * was written since. The fuzzer must find it.
 */
export const unarmed = subjectOf(
  'redis unarmed',
  [],
  HARMLESS_FAULTS.filter(({ name }) => name === 'long stall'),
  { hasBug: true, setup: { rights: '-client|kill', hasty: true } },
)

export const subjects = [subject, lossy, cluster, unfenced, unarmed]
