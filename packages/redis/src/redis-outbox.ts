import type { Writable } from 'node:stream'
import type { Redis } from 'ioredis'

type IoredisStream = NonNullable<Parameters<Redis['sendCommand']>[1]>

/**
 * Commands that go out in one write, at most: Redis works on the first while we write the others. Of
 * 16 to 128 and no limit, this gave the most calls at 50 and at 500 at once (measured).
 */
const MOST = 32

/** What ioredis writes during one turn, sent in few writes: each takes longer than a command. */
export class Outbox {
  #chunks: (string | Buffer)[] = []
  #strings = true

  /** Stands for the socket, of which ioredis uses nothing else where it is given a stream. */
  readonly asStream = {
    write: (chunk: string | Buffer): void => {
      this.#chunks.push(chunk)
      if (typeof chunk !== 'string') this.#strings = false
    },
  } as unknown as IoredisStream

  /** Whether to {@link flush} at once. */
  get isFull(): boolean {
    return this.#chunks.length >= MOST
  }

  flush(socket: Writable): void {
    const chunks = this.#chunks
    const strings = this.#strings
    this.#chunks = []
    this.#strings = true
    // The commands of a socket that has ended fail with it.
    if (!socket.writable) return
    if (strings) {
      // Commands without values are strings, and far cheaper to join than to write one by one.
      socket.write(chunks.join(''))
      return
    }
    socket.cork()
    for (const chunk of chunks) socket.write(chunk)
    socket.uncork()
  }
}
