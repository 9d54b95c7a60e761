import { TextDecoder } from 'node:util'

/** A value as programs cache it: an object with some 1 KiB of text, its own. */
export interface MadeUp {
  readonly id: number
  readonly name: string
  readonly text: string
}

const latin1 = new TextDecoder('latin1')

export function madeUp(id: number): MadeUp {
  const bytes = new Uint8Array(1_000)
  // Different letters in each, so that no two share anything.
  for (let i = 0; i < bytes.length; i++) bytes[i] = 97 + ((id * 31 + i * 7 + ((id * i) >> 5)) % 26)
  return { id, name: `name ${id}`, text: latin1.decode(bytes) }
}
