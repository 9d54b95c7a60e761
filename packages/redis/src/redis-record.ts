import { randomBytes } from 'node:crypto'
import { L2Error } from '@l2/core'

/**
 * A record, the string that an entry is in Redis, is one of
 *
 * - `0` value: without tags;
 * - epoch, tag, FF, tag, …, FE, value: with tags, sorted. It is readable as long as the fence of its
 *   bucket holds the same epoch.
 *
 * FE and FF are bytes that UTF-8 never has, so nothing needs to be escaped or counted.
 */
const UNTAGGED = 0x30
const TAGGED = 0x31
const TAGS_END = Buffer.of(0xfe)
const TAG_END = Buffer.of(0xff)

/** An epoch: `1`, the version of this layout, 8 random characters of a process, 7 that it counts by. */
const EPOCH_LENGTH = 16
const COUNTER_START = 36 ** 6
const COUNTER_END = 36 ** 7

let ofThisProcess = ''
let counter = COUNTER_END

/** An epoch that no bucket ever had: also one whose bookkeeping was lost never meets it again. */
export function newEpoch(): string {
  if (counter === COUNTER_END) {
    ofThisProcess = randomBytes(6).toString('base64url')
    counter = COUNTER_START
  }
  return `1${ofThisProcess}${(counter++).toString(36)}`
}

/** The record of an entry without tags, in two parts: nothing of the value is copied. */
export function untaggedRecord(value: Uint8Array): { start: string; rest: Uint8Array } {
  return { start: '0', rest: value }
}

/** The record of an entry with tags. @param tags sorted, at least one. */
export function taggedRecord(epoch: string, tags: readonly string[], value: Uint8Array): Buffer {
  const parts: Uint8Array[] = [Buffer.from(epoch)]
  for (const [i, tag] of tags.entries()) {
    if (i > 0) parts.push(TAG_END)
    parts.push(Buffer.from(tag))
  }
  return Buffer.concat([...parts, TAGS_END, value])
}

/**
 * The value in a record, which shares its memory.
 *
 * @param fence what the fence of its bucket held at the same moment.
 * @returns `undefined` for a miss: no record, or one whose fence is gone.
 * @throws L2Error `L2_SCHEMA_MISMATCH`, `L2_CORRUPT_STORE`
 */
export function valueIn(record: Buffer | null, fence: Buffer | null): Uint8Array | undefined {
  if (record === null) return undefined
  if (record[0] === UNTAGGED) return record.subarray(1)
  if (record[0] !== TAGGED) throw schemaMismatch()
  if (record.length <= EPOCH_LENGTH) throw cutShort()
  if (fence === null) return undefined
  if (fence[0] !== TAGGED) throw schemaMismatch()
  if (
    fence.length !== EPOCH_LENGTH ||
    record.compare(fence, 0, EPOCH_LENGTH, 0, EPOCH_LENGTH) !== 0
  )
    return undefined
  const end = record.indexOf(TAGS_END, EPOCH_LENGTH)
  if (end < 0) throw cutShort()
  return record.subarray(end + 1)
}

/** The tags of the record that begins with `head`; none where it has none, or more than are in it. */
export function tagsIn(head: Buffer): readonly string[] {
  const end = head[0] === TAGGED ? head.indexOf(TAGS_END, EPOCH_LENGTH) : -1
  if (end < 0) return []
  const tags: string[] = []
  for (let start = EPOCH_LENGTH; start <= end; ) {
    const next = head.indexOf(TAG_END, start)
    const stop = next < 0 || next > end ? end : next
    tags.push(head.toString('utf8', start, stop))
    start = stop + 1
  }
  return tags
}

/** The tag and the key in a member of an index. */
export function tagAndKey(member: Buffer): { readonly tag: string; readonly key: string } {
  const end = member.indexOf(TAG_END)
  return { tag: member.toString('utf8', 0, end), key: member.toString('utf8', end + 1) }
}

const cutShort = (): L2Error =>
  new L2Error('L2_CORRUPT_STORE', 'get: a record has been cut short: delete it.')

/** The error for what another version of this package has stored. */
function schemaMismatch(): L2Error {
  return new L2Error(
    'L2_SCHEMA_MISMATCH',
    'Redis holds records under this prefix that are not of this version of @l2/redis: use one ' +
      'version in all processes, or give this one a prefix of its own.',
  )
}
