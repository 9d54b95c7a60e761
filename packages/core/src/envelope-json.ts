import { isAscii } from 'node:buffer'
import { randomUUID } from 'node:crypto'

/** Everything of an envelope but its payload, in bytes of JSON: tags enough for anybody. */
export const MAX_HEADER_BYTES = 2 ** 20

// Above this, the payload is more than half of any valid envelope, so it covers the middle byte.
const SMALL = 2 * MAX_HEADER_BYTES
const QUOTE = 0x22

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The JSON value in `bytes`, with a bound on what parsing may cost: 96 MiB of `{},{},…` would take
 * Node half a minute and gigabytes. So the payload of a large envelope is cut out first, and only
 * the header, of bounded size, is parsed.
 *
 * @throws where it is not JSON in UTF-8, or has too much beside its payload.
 */
export function parseEnvelopeJson(bytes: Uint8Array): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (buffer.length <= SMALL) return JSON.parse(textOf(buffer))

  const middle = buffer.length >> 1
  const start = buffer.lastIndexOf(QUOTE, middle)
  const end = buffer.indexOf(QUOTE, middle)
  if (start < 0 || end <= start || buffer.length - (end - start) > MAX_HEADER_BYTES)
    throw new Error('too much beside the payload')
  // Nobody can know it beforehand, so finding it in `v` proves that `v` is what was cut out.
  const token = randomUUID()
  const header: unknown = JSON.parse(
    `${textOf(buffer.subarray(0, start))}"${token}"${textOf(buffer.subarray(end + 1))}`,
  )
  if ((header as { v?: unknown } | null)?.v !== token)
    throw new Error('too much beside the payload')
  return Object.assign(header as object, { v: JSON.parse(textOf(buffer.subarray(start, end + 1))) })
}

// The usual envelope is ASCII, which need not be decoded.
function textOf(buffer: Buffer): string {
  return isAscii(buffer) ? buffer.toString('latin1') : utf8.decode(buffer)
}
