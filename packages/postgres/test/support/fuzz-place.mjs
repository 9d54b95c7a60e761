// @ts-check
/** What fuzz-open.mjs makes an adapter of: its options, and the ways to Postgres, of which it takes one. */
/** @typedef {{ schema: string, tablePrefix: string, prefix: string, sweepInterval: number, ways: Way[] }} Config */
/** @typedef {{ timeout: number, url: string }} Way */

/** @typedef {import('./fuzz-ground.mjs').Ground} Ground */

/** The `timeout` of adapters that take the direct way or that of the first proxy, in ms. */
export const TIMEOUT = 5_000

/** That of those that take the other one: what stalls for longer makes them give up. */
export const HASTE = 300

/** What their failures begin with. */
export const IN_HASTE = 'in haste: '

/** Characters that mean something in SQL, all of which must mean nothing. */
const SCHEMA = 'fuzz "%_\' '
const TABLE_PREFIX = 'L2 "$1" '
const PREFIX = "fuzz %_'\\:"

/** By what workers are told of them. @type {WeakMap<object, Place>} */
const places = new WeakMap()

/** The place that a fault is to break. */
export function placeOf(/** @type {unknown} */ config) {
  const place = places.get(/** @type {object} */ (config))
  if (place === undefined) throw new Error('not the config of a place')
  return place
}

let opened = 0

/** A schema that one round has to itself, which the first adapter is to make. */
export class Place {
  /**
   * @param {Ground} ground
   * @param {boolean} hasty whether all adapters are in haste
   */
  constructor(ground, hasty) {
    this.ground = ground
    const schema = `${SCHEMA}${++opened}`
    const options = { schema, tablePrefix: TABLE_PREFIX, prefix: PREFIX, sweepInterval: 100 }
    const { proxy, hastyProxy } = ground
    const ways = [
      { timeout: TIMEOUT, url: ground.urlAt() },
      { timeout: TIMEOUT, url: ground.urlAt(proxy.port) },
      { timeout: HASTE, url: ground.urlAt(hastyProxy.port) },
    ]
    /** @type {Config} */
    this.config = { ...options, ways: hasty ? ways.slice(2) : ways }
    /** The direct way alone. @type {Config} */
    this.calm = { ...options, ways: ways.slice(0, 1) }
    this.schema = schema
    this.entries = `${quoted(schema)}.${quoted(`${TABLE_PREFIX}entries`)}`
    this.tags = `${quoted(schema)}.${quoted(`${TABLE_PREFIX}tags`)}`
    places.set(this.config, this)
  }

  /** An adapter's options that stands beside those of the workers. @param {Partial<Config>} options */
  beside(options) {
    const { ways, ...own } = this.calm
    return { ...own, ...options, .../** @type {Way} */ (ways[0]) }
  }

  async close() {
    await this.ground.asStranger(async raw => {
      for (const schema of [this.schema, this.schema + ELSEWHERE])
        await raw.query(`DROP SCHEMA IF EXISTS ${quoted(schema)} CASCADE`)
    })
  }
}

/** What the name of another schema ends with, in which others have the same cache. */
export const ELSEWHERE = ' too'

const quoted = (/** @type {string} */ name) => `"${name.replaceAll('"', '""')}"`
