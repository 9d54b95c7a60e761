// @ts-check
// A process that does the work of remote adapters: over memory of its own, or over another host
// whose port it is given. It runs what is published, from dist. Its parent tells it over IPC which
// namespaces to cut off or to leave hanging.
import { createServer } from 'node:net'
import { MemoryAdapter, MemoryStorage } from '@l2/core'
import { readFrames, writeFrame } from './frames.mjs'
import { RemoteMemory } from './remote-memory.mjs'

const [upstream] = process.argv.slice(2)
const storage = new MemoryStorage()
/** @type {Map<string, any>} */
const adapters = new Map()
/** @type {Map<string, 'cut' | 'stall'>} */
const broken = new Map()
/** @type {Set<Connection>} */
const connections = new Set()

function adapterOf(/** @type {string} */ prefix) {
  const options = { prefix, timeout: 0, sweepInterval: 0 }
  if (!adapters.has(prefix)) {
    adapters.set(
      prefix,
      upstream
        ? new RemoteMemory(Number(upstream), options)
        : new MemoryAdapter({ ...options, storage }),
    )
  }
  return adapters.get(prefix)
}

const stateOf = (/** @type {string} */ prefix) =>
  [...broken].find(([namespace]) => prefix.startsWith(namespace))?.[1]

/** Frames of one client, carried out in their order. */
class Connection {
  /** @type {any[]} */
  #held = []

  constructor(/** @type {import('node:net').Socket} */ socket) {
    this.socket = socket
    connections.add(this)
    readFrames(socket, frame => {
      if (frame.cancel !== undefined)
        this.#held = this.#held.filter(({ id }) => id !== frame.cancel)
      else {
        this.#held.push(frame)
        this.proceed()
      }
    })
    socket.on('error', () => {})
    socket.on('close', () => connections.delete(this))
  }

  proceed() {
    while (this.#held.length > 0 && !this.socket.destroyed) {
      const state = stateOf(this.#held[0].prefix)
      if (state === 'stall') return
      if (state === 'cut') this.socket.destroy()
      else this.#run(this.#held.shift())
    }
  }

  async #run(/** @type {any} */ { id, prefix, method, args }) {
    try {
      const result = await adapterOf(prefix)[method](...args)
      if (!this.socket.destroyed) writeFrame(this.socket, { id, result })
    } catch (error) {
      const { name, message, code } = /** @type {any} */ (error)
      if (!this.socket.destroyed) writeFrame(this.socket, { id, error: { name, message, code } })
    }
  }
}

const control = {
  /** @type {(namespace: string, how: 'cut' | 'stall') => void} */
  break(namespace, how) {
    broken.set(namespace, how)
  },
  /** @type {(namespace: string) => void} */
  restore(namespace) {
    broken.delete(namespace)
    for (const connection of connections) connection.proceed()
  },
  /** @type {(namespace: string) => number} */
  residue(namespace) {
    let members = 0
    for (const entries of /** @type {any} */ (storage).space(namespace).tagged.values())
      members += entries.size || 1
    return members
  },
  connections: () => connections.size,
}

process.on('message', ({ id, action, args }) => {
  const result = /** @type {any} */ (control)[action](...args)
  process.send?.({ id, result })
})
process.on('disconnect', () => process.exit())

const server = createServer({ noDelay: true }, socket => new Connection(socket))
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: /** @type {import('node:net').AddressInfo} */ (server.address()).port })
})
