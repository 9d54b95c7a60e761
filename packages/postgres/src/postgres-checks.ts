import { checkName } from '@l2/core'
import type { LayoutOptions } from './postgres-options.js'

/** Longer names are cut by Postgres without an error that anybody would see (NAMEDATALEN). */
const LONGEST_NAME = 63

const MIGRATIONS = ['auto', 'check', 'off'] as const

/** What the adapter's tables are called, quoted, and what they are like. */
export interface Layout {
  readonly schema: string
  readonly entries: string
  readonly tags: string
  readonly layout: string
  /** Not qualified: an index is where its table is. */
  readonly expiryIndex: string
  readonly logged: boolean
}

/** @throws TypeError, RangeError that names the option. */
export function resolveLayout(options?: LayoutOptions): Layout {
  const { schema = 'public', tablePrefix = 'l2_', logged = false } = options ?? {}
  checkIdentifier('schema', schema, schema)
  checkIdentifier('tablePrefix', tablePrefix, `${tablePrefix}entries_expiry`)
  if (typeof logged !== 'boolean') throw new TypeError('logged must be true or false')
  const table = (name: string): string => `${quoted(schema)}.${quoted(tablePrefix + name)}`
  return {
    schema: quoted(schema),
    entries: table('entries'),
    tags: table('tags'),
    layout: table('layout'),
    expiryIndex: quoted(`${tablePrefix}entries_expiry`),
    logged,
  }
}

/** @throws TypeError */
export function checkMigrate(migrate: unknown = 'auto'): (typeof MIGRATIONS)[number] {
  const found = MIGRATIONS.find(one => one === migrate)
  if (found === undefined) throw new TypeError(`migrate must be one of ${MIGRATIONS.join(', ')}`)
  return found
}

/** @param longest the longest name that is made of it. */
function checkIdentifier(what: string, value: unknown, longest: string): void {
  checkName(what, value)
  if (longest === '' || longest.includes('\0'))
    throw new TypeError(`${what} must not be empty or hold a NUL character`)
  if (Buffer.byteLength(longest) > LONGEST_NAME)
    throw new RangeError(
      `${what} is too long: Postgres cuts names at ${LONGEST_NAME} bytes, and ` +
        `${JSON.stringify(longest)} has ${Buffer.byteLength(longest)}`,
    )
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
