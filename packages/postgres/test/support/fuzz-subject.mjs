// @ts-check
import { BOUNCER_FAULTS, FAULTS, HALF_LOGGED_CRASH, LONGEST } from './fuzz-faults.mjs'
import { Ground } from './fuzz-ground.mjs'
import { faultsLeft, Neighbours } from './fuzz-look.mjs'
import { IN_HASTE, Place, TIMEOUT } from './fuzz-place.mjs'

/** @typedef {import('@l2/fuzz').Fault} Fault */
/** @typedef {import('@l2/fuzz').Subject} Subject */

/** What a call fails with whose timeout is over, or that of another one on its connection. */
const GIVEN_UP = new Set(['L2_TIMEOUT', 'L2_UNAVAILABLE'])

/**
 * PostgresAdapter over a schema that each round has to itself, on a server that the run has.
 *
 * @param {string} name
 * @param {readonly Fault[]} faults
 * @param {Partial<Subject> & { setup?: import('./fuzz-ground.mjs').Setup, hasty?: boolean }} [others]
 * @returns {Subject}
 */
function subjectOf(name, faults, { setup = {}, hasty = false, ...others } = {}) {
  /** @type {{ ground: Promise<Ground>, users: number } | undefined} */
  let shared
  return {
    name,
    module: new URL('fuzz-open.mjs', import.meta.url).href,
    timeout: TIMEOUT,
    // On a machine that has much else to do, nothing needs to be broken for that.
    excuses: (code, message) => GIVEN_UP.has(code) && message.startsWith(IN_HASTE),
    // What a dead process has sent, and a lock or a stall has held back.
    lingering: LONGEST + 1_000,
    faults,
    ...others,

    async stage() {
      shared ??= { ground: Ground.open(setup), users: 0 }
      const use = shared
      use.users++
      const ground = await use.ground
      const place = new Place(ground, hasty)
      const neighbours = new Neighbours(place)
      return {
        config: place.config,
        calm: place.calm,
        inspect: async () => [...(await faultsLeft(place)), ...(await neighbours.look())],
        residue: () => neighbours.leave(),
        async close() {
          await place.close()
          use.users--
          // Rounds follow each other within a turn of the event loop: where none does, the run is over.
          setImmediate(() => {
            if (use.users > 0 || shared !== use) return
            shared = undefined
            ground.close()
          })
        },
      }
    },
  }
}

export const subject = subjectOf('postgres', FAULTS)

/** Through a PgBouncer in transaction mode, which dies too. */
export const bouncer = subjectOf('postgres bouncer', [...FAULTS, ...BOUNCER_FAULTS], {
  setup: { bouncer: true },
})

/** With tag rows that a crash takes, and entries that it does not. The fuzzer must find it. */
export const halfLogged = subjectOf('postgres half-logged', [HALF_LOGGED_CRASH], { hasBug: true })

/**
 * Writes that were given up can't be found, as the locks by which they would be are none: what waited
 * for somebody else comes late, and undoes what was written since. The fuzzer must find it.
 */
export const unfenced = subjectOf(
  'postgres unfenced',
  FAULTS.filter(({ name }) => name === 'freeze who waits'),
  {
    hasBug: true,
    hasty: true,
    setup: {
      sql: [
        'CREATE SCHEMA broken',
        `CREATE FUNCTION broken.pg_advisory_xact_lock_shared(int, int) RETURNS void
          LANGUAGE plpgsql AS 'BEGIN END'`,
        'ALTER ROLE l2 SET search_path = broken, pg_catalog',
      ],
    },
  },
)

export const subjects = [subject, bouncer, halfLogged, unfenced]
