// @ts-check
import { connect } from 'node:net'
import { GuardedAdapter } from '@l2/core'
import { readFrames, writeFrame } from './frames.mjs'

/** An adapter of which a host (see host.mjs) in another process does the work, over one socket. */
export class RemoteMemory extends GuardedAdapter {
  constructor(
    /** @type {number} */ port,
    /** @type {import('@l2/core').AdapterOptions} */ options,
  ) {
    super(options, ({ prefix }) => new RemoteBackend(port, prefix))
  }
}

class RemoteBackend {
  /** @type {import('node:net').Socket | undefined} */
  #socket
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: unknown) => void }>} */
  #pending = new Map()
  #lastId = 0

  constructor(/** @type {number} */ port, /** @type {string} */ prefix) {
    this.port = port
    this.prefix = prefix
  }

  get(/** @type {string} */ key, /** @type {import('@l2/core').Call} */ call) {
    return this.#send(call, 'get', [key])
  }

  set(
    /** @type {string} */ key,
    /** @type {Uint8Array} */ value,
    /** @type {number} */ ttl,
    /** @type {readonly string[]} */ tags,
    /** @type {import('@l2/core').Call} */ call,
  ) {
    return this.#send(call, 'set', [key, value, { ttl, tags }])
  }

  delete(/** @type {string} */ key, /** @type {import('@l2/core').Call} */ call) {
    return this.#send(call, 'delete', [key])
  }

  async *deleteByTag(/** @type {string} */ tag, /** @type {import('@l2/core').Call} */ call) {
    await this.#send(call, 'deleteByTag', [tag])
    yield 0
  }

  async *clear(/** @type {import('@l2/core').Call} */ call) {
    await this.#send(call, 'clear', [])
    yield 0
  }

  async *sweep(/** @type {import('@l2/core').Call} */ call) {
    yield (await this.#send(call, 'sweep', [])).removed
  }

  ping(/** @type {import('@l2/core').Call} */ call) {
    return this.#send(call, 'ping', [])
  }

  close() {
    this.#socket?.destroy()
  }

  /** @returns {Promise<any>} */
  #send(
    /** @type {import('@l2/core').Call} */ call,
    /** @type {string} */ method,
    /** @type {unknown[]} */ args,
  ) {
    const socket = this.#connection()
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      // The host drops what it has not begun: nothing given up is carried out later.
      call.onAbandon(() => {
        this.#pending.delete(id)
        writeFrame(socket, { cancel: id })
      })
      writeFrame(socket, { id, prefix: this.prefix, method, args })
    })
  }

  #connection() {
    if (this.#socket && !this.#socket.destroyed) return this.#socket
    const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true })
    this.#socket = socket
    const pending = this.#pending
    this.#pending = new Map()
    for (const { reject } of pending.values()) reject(new Error('connection lost'))
    const mine = this.#pending
    readFrames(socket, ({ id, result, error }) => {
      const waiting = mine.get(id)
      mine.delete(id)
      if (error) waiting?.reject(Object.assign(new Error(error.message), error))
      else waiting?.resolve(result)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const { reject } of mine.values()) reject(new Error('connection lost'))
      mine.clear()
    })
    return socket
  }
}
