/** The types of what arrays hold, by their numbers in pg_type. */
const BYTEA = 17
const INT8 = 20
const FLOAT8 = 701

const HEADER_BYTES = 20
const LENGTH_BYTES = 4

/*
 * One-dimensional arrays as Postgres sends and receives them in binary (array_send, array_recv): the
 * number of dimensions, whether there are nulls, the type, the length, the index of the first; then
 * each with its length. pg itself writes arrays as text, with bytes in hex.
 */

export function byteaArray(values: readonly Uint8Array[]): Buffer {
  let size = HEADER_BYTES
  for (const { length } of values) size += LENGTH_BYTES + length
  const array = Buffer.allocUnsafe(size)
  let at = writeHeader(array, BYTEA, values.length)
  for (const value of values) {
    at = array.writeInt32BE(value.length, at)
    array.set(value, at)
    at += value.length
  }
  return array
}

export function float8Array(values: readonly number[]): Buffer {
  const array = Buffer.allocUnsafe(HEADER_BYTES + values.length * (LENGTH_BYTES + 8))
  let at = writeHeader(array, FLOAT8, values.length)
  for (const value of values) at = array.writeDoubleBE(value, array.writeInt32BE(8, at))
  return array
}

/** @param values eight bytes each. */
export function int8Array(values: readonly Uint8Array[]): Buffer {
  const array = byteaArray(values)
  array.writeInt32BE(INT8, 8)
  return array
}

/** @returns where the first value goes. */
function writeHeader(array: Buffer, type: number, length: number): number {
  for (const [i, field] of [1, 0, type, length, 1].entries()) array.writeInt32BE(field, i * 4)
  return HEADER_BYTES
}
