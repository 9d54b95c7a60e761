import type { EntrySettings } from './entry-options.js'
import { jsonSerializer, type Serializer } from './serializer.js'

/**
 * In what form values are kept: as they are, or, with `clone`, as bytes of which each call gets a copy
 * of its own.
 */
export class Values {
  readonly #serializer: Serializer
  /** Whether what is kept is not what is given. */
  readonly clone: boolean
  readonly #measure: boolean

  /**
   * @param clone whether L1 keeps bytes.
   * @param measure whether L1 counts bytes.
   */
  constructor(serializer: Serializer, clone: boolean, measure: boolean) {
    this.#serializer = serializer
    this.clone = clone
    this.#measure = measure
  }

  /** @throws what the serializer throws. */
  kept(value: unknown): unknown {
    return this.clone && value !== undefined ? ownBytes(this.#serializer.serialize(value)) : value
  }

  /** The value of what was kept. @throws what the serializer throws. */
  given(kept: unknown): unknown {
    return this.clone && kept !== undefined
      ? this.#serializer.deserialize(this.#readable(kept as Uint8Array))
      : kept
  }

  /** What L2 is to hold of what was kept. @throws what the serializer throws. */
  payload(kept: unknown): Uint8Array {
    return this.clone ? (kept as Uint8Array) : this.#serializer.serialize(kept)
  }

  /**
   * What is kept of bytes from L2, which are not trusted.
   *
   * @throws where they are not what the serializer writes.
   */
  keptOf(payload: Uint8Array): unknown {
    const value = this.#serializer.deserialize(payload)
    if (value === undefined) throw new TypeError('it is undefined')
    return this.clone ? ownBytes(payload) : value
  }

  /** The bytes for the serializer, which may give views of them. */
  #readable(kept: Uint8Array): Uint8Array {
    return this.#serializer === jsonSerializer ? kept : ownBytes(kept)
  }

  /**
   * The bytes that L1 is to count; 0 where it counts none.
   *
   * @param payload if there is one already.
   * @throws what the serializer throws.
   */
  size(kept: unknown, { size }: EntrySettings, payload: Uint8Array | undefined): number {
    if (!this.#measure) return 0
    return size ?? (payload ?? this.payload(kept)).byteLength
  }
}

/** Bytes that nobody else holds: a serializer may write into its own, and Buffers share their memory. */
const ownBytes = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)
