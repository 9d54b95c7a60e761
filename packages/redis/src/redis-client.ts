import { type Call, L2Error } from '@l2/core'
import type { RedisOptions } from 'ioredis'
import { RedisConnection } from './redis-connection.js'
import type { Layout, Route, Send } from './redis-route.js'

interface Waiting {
  readonly call: Call
  readonly start: (connection: RedisConnection) => void
  readonly fail: (error: unknown) => void
}

/**
 * The way to one Redis: a connection made when it is first needed, and another one after each that
 * ended. Calls that wait for it go out in the order they were made. One attempt at a time; when it
 * fails, so do those that waited, and the next call tries again.
 */
export class RedisClient implements Route {
  readonly #options: () => RedisOptions
  readonly #timeout: number
  readonly #probe: string
  readonly #inCluster: boolean
  readonly #closing = new AbortController()
  #connection: RedisConnection | undefined
  #attempt: Promise<void> | undefined
  #waiting: Waiting[] = []

  /**
   * @param options how to connect, asked anew each time: passwords change.
   * @param probe a key that nothing else has.
   * @param inCluster whether it must be a node of a Redis Cluster, or must not be one.
   */
  constructor(options: () => RedisOptions, timeout: number, probe: string, inCluster = false) {
    this.#options = options
    this.#timeout = timeout
    this.#probe = probe
    this.#inCluster = inCluster
  }

  /** Whether `use` would send at once. */
  get isOpen(): boolean {
    return this.#connection?.isOpen === true
  }

  /** Whether everything that was ever sent has its answer: nothing can take effect any more. */
  get isIdle(): boolean {
    if (this.#attempt !== undefined) return false
    return this.#connection === undefined || (this.isOpen && this.#connection.isIdle)
  }

  use<T>(_bucket: number, call: Call, send: Send<T>): Promise<T> {
    if (this.#connection?.isOpen) return send(this.#connection, 0)
    return new Promise((resolve, reject) => {
      const start = (connection: RedisConnection): void => {
        try {
          send(connection, 0).then(resolve, reject)
        } catch (error) {
          reject(error)
        }
      }
      this.#waiting.push({ call, start, fail: reject })
      this.#attempt ??= this.#connect()
    })
  }

  heads(): Promise<readonly number[]> {
    return Promise.resolve([0])
  }

  layout(): Promise<Layout> {
    return Promise.resolve({ nodes: [this], name: '', moving: false })
  }

  /** Has the next call make a new connection. Calls without an answer fail. */
  reconnect(): void {
    this.#connection?.destroy()
  }

  close(): void {
    this.#closing.abort()
    this.#connection?.destroy()
  }

  async #connect(): Promise<void> {
    try {
      // Not in the turn of the first call: it would be over before it is remembered.
      await undefined
      const { signal } = this.#closing
      if (signal.aborted) throw new L2Error('L2_CLOSED', 'the adapter was closed.')
      const connection = await RedisConnection.open(
        this.#options(),
        this.#timeout,
        this.#connection,
        { probe: this.#probe, inCluster: this.#inCluster },
        signal,
      )
      this.#connection = connection
      for (const { call, start, fail } of this.#taken()) {
        if (call.abandoned) fail(new Error('given up before it was sent'))
        else start(connection)
      }
    } catch (error) {
      for (const { fail } of this.#taken()) fail(error)
    }
  }

  #taken(): Waiting[] {
    const waiting = this.#waiting
    this.#waiting = []
    this.#attempt = undefined
    return waiting
  }
}
