/** What a read found out about the bytes that it got. */
export type Seen =
  | { readonly is: 'whole'; readonly key: number; readonly id: string }
  /** Zero bytes: nobody can tell whose. */
  | { readonly is: 'empty' }
  | { readonly is: 'torn'; readonly start: string }

/** Room enough for any header. */
const LONGEST_HEADER = 64

/**
 * Bytes that say throughout which write made them: a header, repeated. Parts of two writes, or
 * bytes that moved, don't pass for a value.
 *
 * @param size of the value in bytes; at least the header's own, unless it is 0.
 */
export function bytesOf(key: number, id: string, size: number): Uint8Array {
  if (size === 0) return new Uint8Array()
  const header = `${key} ${id} `
  const length = Math.max(size, header.length + 8)
  const value = Buffer.alloc(length, `${header}${length};`, 'latin1')
  return new Uint8Array(value.buffer, value.byteOffset, value.length)
}

export function recognise(bytes: Uint8Array): Seen {
  if (bytes.length === 0) return { is: 'empty' }
  const found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const header = found.toString('latin1', 0, LONGEST_HEADER)
  const [, key, id, length] = /^(\d+) (\S+) (\d+);/.exec(header) ?? []
  if (key !== undefined && id !== undefined && Number(length) === bytes.length) {
    if (found.equals(bytesOf(Number(key), id, bytes.length))) {
      return { is: 'whole', key: Number(key), id }
    }
  }
  return { is: 'torn', start: found.toString('hex', 0, LONGEST_HEADER) }
}
