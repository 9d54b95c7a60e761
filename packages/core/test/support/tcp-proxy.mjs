// @ts-check
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/** @typedef {import('node:net').Socket} Socket */

/**
 * A proxy on loopback in front of one server, which can hang, cut off and deliver late what it has
 * held back, as networks do.
 */
export class TcpProxy {
  #target
  #server
  /** @type {Set<Link>} */
  #links = new Set()
  /** @type {'open' | 'stalled' | 'cut'} */
  #state = 'open'
  #frayed = false
  port = 0

  /** @param {{ host: string, port: number }} target */
  constructor(target) {
    this.#target = target
    this.#server = createServer({ pauseOnConnect: true }, socket => this.#accept(socket))
  }

  async listen() {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = /** @type {import('node:net').AddressInfo} */ (this.#server.address())
    this.port = address.port
    this.#server.unref()
    return this
  }

  /** How many connections there are. */
  get connections() {
    return this.#links.size
  }

  /**
   * Nothing gets through any more in either direction, and nobody is told. Connections that a client
   * ends meanwhile stay as they are towards the server, which gets what they sent when it is `resumed`.
   */
  stall() {
    this.#state = 'stalled'
    for (const link of this.#links) link.hold()
  }

  /** What is sent from now on is held back, and answers to what was sent before get through. */
  stallRequests() {
    this.#state = 'stalled'
    for (const link of this.#links) link.holdRequests()
  }

  /** Ends all connections, and each new one, at once. */
  cut() {
    this.#state = 'cut'
    for (const link of this.#links) link.destroy()
  }

  /** New connections work; those that were stalled stay so until `resume`. */
  open() {
    this.#state = 'open'
  }

  /** Everything works again, and what was held back is delivered, even by those who are gone. */
  resume() {
    this.#state = 'open'
    for (const link of this.#links) link.resume()
  }

  /** What clients send from now on comes in pieces, as it may on any network: a byte comes later. */
  fray(/** @type {boolean} */ frayed) {
    this.#frayed = frayed
  }

  async close() {
    for (const link of this.#links) link.destroy()
    this.#server.close()
  }

  #accept(/** @type {Socket} */ socket) {
    socket.on('error', () => {})
    if (this.#state === 'cut') {
      socket.resetAndDestroy()
      return
    }
    const link = new Link(
      socket,
      this.#target,
      () => this.#frayed,
      () => this.#links.delete(link),
    )
    this.#links.add(link)
    if (this.#state === 'open') link.resume()
  }
}

/** One client's connection, and ours to the server on its behalf. */
class Link {
  #requestsHeld = true
  #answersHeld = true
  /** @type {Buffer[]} */
  #toServer = []
  /** @type {Buffer[]} */
  #toClient = []
  #clientEnded = false
  #server
  #client
  #onEnd

  /**
   * @param {Socket} client
   * @param {{ host: string, port: number }} target
   * @param {() => boolean} isFrayed
   * @param {() => void} onEnd
   */
  constructor(client, target, isFrayed, onEnd) {
    this.#client = client
    this.#onEnd = onEnd
    this.#server = connect({ ...target, noDelay: true })
    client.setNoDelay(true)
    this.#server.on('error', () => {})
    client.on('data', data => {
      this.#toServer.push(isFrayed() ? this.#withoutEnd(data) : data)
      this.#deliver()
    })
    this.#server.on('data', data => {
      this.#toClient.push(data)
      this.#deliver()
    })
    client.on('close', () => {
      this.#clientEnded = true
      this.#deliver()
    })
    this.#server.on('close', () => this.destroy())
    client.resume()
  }

  hold() {
    this.#requestsHeld = true
    this.#answersHeld = true
  }

  holdRequests() {
    this.#requestsHeld = true
  }

  resume() {
    this.#requestsHeld = false
    this.#answersHeld = false
    this.#deliver()
  }

  destroy() {
    this.#server.destroy()
    if (!this.#client.destroyed) this.#client.resetAndDestroy()
    this.#onEnd()
  }

  /** All but the last byte, which comes a little later, and everything else after it. */
  #withoutEnd(/** @type {Buffer} */ data) {
    this.#client.pause()
    setTimeout(() => {
      this.#toServer.push(data.subarray(-1))
      this.#deliver()
      this.#client.resume()
    }, 1)
    return data.subarray(0, -1)
  }

  #deliver() {
    if (!this.#requestsHeld) for (const data of this.#toServer.splice(0)) this.#server.write(data)
    if (!this.#answersHeld) {
      for (const data of this.#toClient.splice(0)) if (!this.#clientEnded) this.#client.write(data)
    }
    // What it sent before it went is delivered first.
    if (this.#clientEnded && !this.#requestsHeld) this.#server.end()
  }
}
