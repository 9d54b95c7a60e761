import type { Writable } from 'node:stream'
import type { Redis } from 'ioredis'

type IoredisStream = NonNullable<Parameters<Redis['sendCommand']>[1]>

/** What ioredis writes during one turn, sent in one write: a system call takes longer than a command. */
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
