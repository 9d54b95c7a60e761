// @ts-check
import { createHash } from 'node:crypto'

/** What the names of entries under this prefix begin with, by postgres-keys.ts. */
const startOf = (/** @type {string} */ prefix) =>
  Buffer.concat([Buffer.from(prefix), Buffer.from([0xff])])

/**
 * How many tag rows there are of entries under this prefix, by the part of their hash that is its own.
 *
 * @param {import('pg').Pool} raw
 * @param {string} prefix
 */
export async function tagRowsUnder(raw, prefix, table = 'public.l2_tags') {
  const hash = createHash('sha256').update(startOf(prefix)).digest().subarray(0, 4)
  const { rows } = await raw.query(
    `SELECT count(*)::int FROM ${table} WHERE substring(h FOR 4) = $1`,
    [hash],
  )
  return rows[0].count
}
