// @ts-check
import { setTimeout as pause } from 'node:timers/promises'
import { PostgresAdapter } from '@l2/postgres'
import { ELSEWHERE } from './fuzz-place.mjs'

/** @typedef {import('./fuzz-place.mjs').Place} Place */

/** In which sessions of those that are gone have to end, in ms. */
const PATIENCE = 10_000

/** By postgres-keys.ts: bytes of a hashed tag, and of the part of an entry's hash that is its prefix's. */
const TAG = 16
const PREFIX = 4

/** What the names of entries that the neighbours have are, and of their tags. */
const NAMES = ['', '%_', "it's", 'a\0b', 'key 20']

const tagAt = (/** @type {string} */ i) => `substring(e.tags FROM ${i} * ${TAG} + 1 FOR ${TAG})`

/**
 * One statement each, so that it sees one moment. What is said of an entry must never be true, whoever
 * died in the middle.
 */
const faultsOf = (/** @type {Place} */ { entries, tags }) => [
  {
    what: 'an orphan: an entry whose tag does not know it',
    where: `FROM ${entries} e, generate_series(0, length(e.tags) / ${TAG} - 1) i WHERE NOT EXISTS
      (SELECT FROM ${tags} t WHERE t.tag = ${tagAt('i')} AND t.h = e.h AND t.ver = e.ver)`,
  },
  {
    what: 'an entry with tags and no version, or the other way round',
    where: `FROM ${entries} e WHERE (e.ver = 0) <> (e.tags = '') OR length(e.tags) % ${TAG} <> 0`,
  },
  {
    what: 'an entry whose hash is not that of its key',
    where: `FROM ${entries} e
      WHERE substring(e.h FROM ${PREFIX + 1}) <> substring(sha256(e.k) FOR ${TAG})`,
  },
  {
    what: 'a version that several entries have',
    where: `FROM (
      SELECT ver, decode(min(encode(h, 'hex')), 'hex') AS h FROM ${entries} WHERE ver <> 0 GROUP BY ver HAVING count(*) > 1
    ) e`,
  },
]

/**
 * What must never be in the tables, whoever works meanwhile.
 *
 * @param {Place} place
 * @param {import('pg').Client} raw
 */
export async function faultsSeen(place, raw) {
  const found = []
  for (const { what, where } of faultsOf(place)) {
    const { rows } = await raw.query(
      `SELECT count(*)::int AS count, min(encode(e.h, 'hex')) AS hash ${where}`,
    )
    const [{ count, hash }] = rows
    if (count > 0) found.push(`${what}: ${count} times, such as ${hash}`)
  }
  return found
}

/** And what must not be when nobody works any more: locks, and statements that go on. */
export async function faultsLeft(/** @type {Place} */ place) {
  const found = await place.ground.asStranger(async raw => [
    ...(await whoStays(raw)),
    ...(await faultsSeen(place, raw)),
  ])
  return [...found, ...place.ground.complaints()]
}

/** @param {import('pg').Client} raw */
async function whoStays(raw) {
  const look = async () => {
    const { rows } = await raw.query(`
      SELECT state || ': ' || query AS what FROM pg_stat_activity
      WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()
      UNION ALL SELECT 'an advisory lock ' || objid FROM pg_locks WHERE locktype = 'advisory'`)
    return rows.map(({ what }) => `somebody stays: ${what}`)
  }
  const end = performance.now() + PATIENCE
  let found = await look()
  while (found.length > 0 && performance.now() < end) {
    await pause(20)
    found = await look()
  }
  return found
}

/**
 * Caches that have the same names as that of the workers, in its tables and in another schema. What is
 * done to it is no matter of theirs.
 */
export class Neighbours {
  #adapters
  #place
  #areThere = false

  constructor(/** @type {Place} */ place) {
    this.#place = place
    const { prefix, schema } = place.config
    this.#adapters = [{ prefix: `${prefix}x` }, { schema: schema + ELSEWHERE }].map(
      options => new PostgresAdapter({ ...place.beside(options), sweepInterval: 0 }),
    )
  }

  /** Has them set their entries, the first time, and afterwards tells what became of these. */
  async look() {
    const found = []
    for (const [at, adapter] of this.#adapters.entries())
      for (const name of NAMES) {
        const value = new TextEncoder().encode(`${at} ${name}`)
        if (!this.#areThere) await adapter.set(name, value, { tags: NAMES })
        else if (String(await adapter.get(name)) !== String(value))
          found.push(`neighbour ${at} misses ${JSON.stringify(name)}`)
      }
    this.#areThere = true
    return found
  }

  /** Has them remove all that is theirs, and sweep. How many rows are left, of anybody? */
  async leave() {
    for (const adapter of this.#adapters) {
      await adapter.clear()
      await adapter.sweep()
      await adapter.close()
    }
    const { entries, tags } = this.#place
    return this.#place.ground.asStranger(async raw => {
      const { rows } = await raw.query(
        `SELECT (SELECT count(*) FROM ${entries}) + (SELECT count(*) FROM ${tags}) AS count`,
      )
      return Number(rows[0].count)
    })
  }
}
