import { isUtf8 } from 'node:buffer'

/** Turns values into the bytes that L2 keeps, and back. */
export interface Serializer {
  /**
   * The bytes for `value`, which is never `undefined`.
   *
   * @throws where the value cannot be carried: the call that was to store it rejects with that.
   */
  serialize(value: unknown): Uint8Array
  /**
   * The value in `bytes`, which come from outside and may be anything.
   *
   * @throws where they are not what `serialize` writes: the entry is a miss then, and a `corrupt`
   * event tells so. The same goes where it returns `undefined`.
   */
  deserialize(bytes: Uint8Array): unknown
}

/**
 * JSON in UTF-8, the default. It carries what JSON carries: a `Date` comes back from L2 as a string,
 * a `Map` as `{}`, `NaN` as `null`.
 *
 * It refuses, both ways, an object with a key `__proto__`: harmless as it stands, it would change
 * prototypes once a program copied it with `Object.assign` or a deep merge.
 */
export const jsonSerializer: Serializer = {
  serialize(value) {
    const text: string | undefined = JSON.stringify(value)
    if (text === undefined) throw new TypeError(`a ${typeof value} can't be written as JSON`)
    // In a string its quotes would be escaped. It could not be read again.
    if (text.includes('"__proto__":')) throw new TypeError('a key is __proto__')
    return Buffer.from(text)
  },

  deserialize(bytes) {
    // Decoding replaces broken UTF-8 without a word, and the damage would be served as data.
    if (!isUtf8(bytes)) throw new SyntaxError('not UTF-8')
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
    // A reviver costs several times the parsing itself. The key needs these letters, or an escape.
    const suspect = text.includes('__proto__') || text.includes('\\u')
    return JSON.parse(text, suspect ? refuseProto : undefined)
  },
}

function refuseProto(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new SyntaxError('a key is __proto__')
  return value
}
