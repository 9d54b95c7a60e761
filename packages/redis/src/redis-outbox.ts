import type { Writable } from 'node:stream'
import type { Redis } from 'ioredis'
import type { Argument } from './redis-route.js'

type IoredisStream = NonNullable<Parameters<Redis['sendCommand']>[1]>

/**
 * Commands that go out in one write, at most: Redis works on the first while we write the others. Of
 * 16 to 128 and no limit, this gave the most calls at 50 and at 500 at once (measured).
 */
export const MOST = 32

/** Up to this size, in bytes, one copy of all costs less than a write of many pieces. */
const SMALL = 131_072

/** The commands of one turn in Redis's protocol (RESP), sent in few writes: each takes longer than a command. */
export class Outbox {
  #pieces: (string | Uint8Array)[] = []
  /** What follows the last piece. */
  #text = ''
  #size = 0
  #count = 0

  /** Whether to {@link flush} at once. */
  get isFull(): boolean {
    return this.#count >= MOST
  }

  add(name: string, args: readonly Argument[]): void {
    this.#count++
    this.#text += `*${args.length + 1}\r\n$${name.length}\r\n${name}\r\n`
    for (const arg of args) {
      if (typeof arg === 'string') this.#text += `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`
      else if ('start' in arg) this.#addBytes(arg.start, arg.rest)
      else this.#addBytes('', arg)
    }
  }

  flush(socket: Writable): void {
    const [pieces, text, size] = [this.#pieces, this.#text, this.#size]
    this.#pieces = []
    this.#text = ''
    this.#size = 0
    this.#count = 0
    // The commands of a socket that has ended fail with it.
    if (!socket.writable || (text === '' && pieces.length === 0)) return
    if (pieces.length === 0) {
      socket.write(text)
      return
    }
    pieces.push(text)
    if (size > SMALL) {
      socket.cork()
      for (const piece of pieces) socket.write(piece)
      socket.uncork()
      return
    }
    socket.write(joined(pieces, size + Buffer.byteLength(text)))
  }

  /** @param start one byte a character. */
  #addBytes(start: string, rest: Uint8Array): void {
    this.#text += `$${start.length + rest.length}\r\n${start}`
    this.#size += Buffer.byteLength(this.#text) + rest.length
    this.#pieces.push(this.#text, rest)
    this.#text = '\r\n'
  }
}

function joined(pieces: readonly (string | Uint8Array)[], size: number): Buffer {
  const all = Buffer.allocUnsafe(size)
  let at = 0
  for (const piece of pieces) {
    if (typeof piece === 'string') at += all.write(piece, at)
    else {
      all.set(piece, at)
      at += piece.length
    }
  }
  return all
}

/** Stands for the socket: of it, ioredis uses nothing else where it is given a stream. */
export const NO_STREAM = { write: () => {} } as unknown as IoredisStream
