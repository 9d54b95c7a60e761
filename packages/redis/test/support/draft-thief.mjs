// @ts-check
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * A TCP proxy on loopback in front of one Redis that comes between the draft of a large value and the
 * script that makes it the entry, as eviction or another's `clear()` may.
 */
export class DraftThief {
  #server
  #raw
  #prefix
  /** @type {(() => void) | undefined} */
  #onTheft
  port = 0

  /**
   * @param {{ host: string, port: number }} target
   * @param {import('ioredis').Redis} raw
   * @param {string} prefix
   */
  constructor(target, raw, prefix) {
    this.#raw = raw
    this.#prefix = prefix
    this.#server = createServer(client => {
      const redis = connect(target)
      for (const [one, other] of /** @type {const} */ ([
        [client, redis],
        [redis, client],
      ])) {
        one.on('error', () => {})
        one.on('close', () => other.destroy())
      }
      redis.on('data', data => client.write(data))
      let last = Promise.resolve()
      client.on('data', data => {
        last = last.then(() => this.#forward(data, redis))
      })
    })
  }

  async listen() {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = /** @type {import('node:net').AddressInfo} */ (this.#server.address())
    this.port = address.port
    this.#server.unref()
    return this
  }

  close() {
    this.#server.close()
  }

  /** Takes the next draft away, and calls `onTheft` before the script that wants it arrives. */
  lurk(/** @type {() => void} */ onTheft) {
    this.#onTheft = onTheft
  }

  /**
   * @param {Buffer} data
   * @param {import('node:net').Socket} redis
   */
  async #forward(data, redis) {
    const onTheft = this.#onTheft
    const script = data.indexOf('\r\nevalsha\r\n')
    if (onTheft === undefined || script === -1) {
      redis.write(data)
      return
    }
    this.#onTheft = undefined
    const start = data.lastIndexOf('*', script)
    redis.write(data.subarray(0, start))
    const taken = await this.#take()
    onTheft()
    // Its client is told of the abort before Redis answers.
    await pause(20)
    if (taken) redis.write(data.subarray(start))
    else redis.destroy()
  }

  /** Waits for drafts and removes them. */
  async #take() {
    for (const end = performance.now() + 5_000; performance.now() < end; await pause(2)) {
      const names = await this.#raw.keys(`${this.#prefix}*`)
      const drafts = names.filter(name => /\{\d+\}d/.test(name))
      if (drafts.length > 0) return (await this.#raw.del(...drafts)) > 0
    }
    return false
  }
}
