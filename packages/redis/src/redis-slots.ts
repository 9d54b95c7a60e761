import { BUCKETS } from './redis-keys.js'

/** Slots of a Redis Cluster. */
const SLOTS = 16_384

/** CRC-16 as XMODEM has it, of which a slot is the remainder (Redis Cluster specification). */
function crc16(text: string): number {
  let crc = 0
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff
  }
  return crc
}

/** The slot of each bucket: of its number, which is what stands in the braces of its names. */
export const SLOT_OF_BUCKET: readonly number[] = Array.from(
  { length: BUCKETS },
  (_, bucket) => crc16(String(bucket)) % SLOTS,
)

/** Where a node listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Who has each bucket, as CLUSTER SLOTS says.
 *
 * @param asked who said it: a node may not know under which name it is reached.
 */
export function primariesIn(answer: unknown, asked: Address): (Address | undefined)[] {
  const ranges = (answer as [number, number, [Buffer | null, number]?][]).map(
    ([first, last, primary]) => ({ first, last, primary }),
  )
  return SLOT_OF_BUCKET.map(slot => {
    const range = ranges.find(({ first, last }) => first <= slot && slot <= last)
    return range?.primary && addressOf(String(range.primary[0] ?? ''), range.primary[1], asked)
  })
}

/**
 * Why a node of a cluster has not done what it was told. Nothing of it has been carried out, or of a
 * script only what may be done twice.
 */
export type Refusal =
  | { readonly word: 'MOVED' | 'ASK'; readonly to: Address }
  | { readonly word: 'TRYAGAIN' | 'CLUSTERDOWN' }

/** @param asked the node that said it. @returns `undefined` for all other errors. */
export function refusalIn(error: unknown, asked: Address): Refusal | undefined {
  if (!(error instanceof Error)) return undefined
  const [word, , place = ''] = error.message.split(' ', 3)
  // A key of a script has expired at the very moment, on the node that is giving its slot away.
  if (error.message.includes('attempted to access a non local key')) return { word: 'TRYAGAIN' }
  if (word === 'TRYAGAIN' || word === 'CLUSTERDOWN') return { word }
  if (word !== 'MOVED' && word !== 'ASK') return undefined
  const colon = place.lastIndexOf(':')
  return { word, to: addressOf(place.slice(0, colon), Number(place.slice(colon + 1)), asked) }
}

const addressOf = (host: string, port: number, asked: Address): Address => ({
  host: host === '' || host === '?' ? asked.host : host,
  port,
})
