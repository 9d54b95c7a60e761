// @ts-check
import { deserialize, serialize } from 'node:v8'

/** Writes one message: its length in 4 bytes, then the message. */
export function writeFrame(
  /** @type {import('node:net').Socket} */ socket,
  /** @type {unknown} */ message,
) {
  const body = serialize(message)
  const head = Buffer.alloc(4)
  head.writeUInt32BE(body.length)
  socket.cork()
  socket.write(head)
  socket.write(body)
  socket.uncork()
}

/** Calls `listener` for each message that arrives. */
export function readFrames(
  /** @type {import('node:net').Socket} */ socket,
  /** @type {(message: any) => void} */ listener,
) {
  /** @type {Buffer[]} */
  let chunks = []
  let size = 0
  socket.on('data', chunk => {
    chunks.push(chunk)
    size += chunk.length
    for (;;) {
      // Joined only when a whole message is there: it may come in a thousand pieces.
      if (size < 4 || (chunks[0] && chunks[0].length >= 4 && size < 4 + chunks[0].readUInt32BE()))
        return
      const all = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size)
      const end = 4 + all.readUInt32BE()
      chunks = [all]
      if (size < end) return
      const message = deserialize(all.subarray(4, end))
      chunks = [all.subarray(end)]
      size -= end
      listener(message)
    }
  })
}
