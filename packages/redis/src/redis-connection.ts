import type { Call } from '@l2/core'
import { Redis, type RedisOptions } from 'ioredis'
import { Batch, type Errand } from './redis-batch.js'
import { OutboxCommand } from './redis-command.js'
import { noConnection } from './redis-errors.js'
import { MOST, NO_STREAM, Outbox } from './redis-outbox.js'
import type { Argument, Sender } from './redis-route.js'
import { SentinelWatch } from './redis-sentinel.js'
import { checkServer, type Expected } from './redis-server.js'
import { ConnectionWatch } from './redis-watch.js'

/** What a connection attempt may take where the adapter has no `timeout`, in ms: ioredis's own. */
const CONNECT_TIMEOUT = 10_000

/** And where it has one, which part of it: the deadline of the call that waits would say less. */
const CONNECT_SHARE = 0.95

/**
 * What makes one ioredis instance one connection: it neither queues, resends nor reconnects, so that
 * what failed never takes effect later. The rest would change what we send or how we read answers.
 */
const OURS = {
  lazyConnect: true,
  retryStrategy: null,
  reconnectOnError: null,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  // Reads come from the primary, and each attempt to find it ends: there may be another.
  role: 'master' as const,
  sentinelRetryStrategy: () => null,
  failoverDetector: false,
  // It would ask INFO, which ACL users may not; a Redis that is loading says so by itself.
  enableReadyCheck: false,
  enableAutoPipelining: false,
  keyPrefix: '',
  // Of a database that it can't select, it would say so and go on in the first.
  db: 0,
  replyMapping: 'legacy' as const,
  stringNumbers: false,
  readOnly: false,
  monitor: false,
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined,
  scripts: undefined,
  himportFieldsets: undefined,
} satisfies RedisOptions

/** One connection to one Redis, until it ends: then there will be another. */
export class RedisConnection implements Sender {
  readonly #redis: Redis
  readonly #watch: ConnectionWatch
  /** What tells this connection from all others to Redis: arguments of CLIENT KILL. */
  #name: readonly string[] | undefined
  /** What is sent in one turn of the event loop goes out in few writes, and is watched together. */
  #turn: (() => void) | undefined
  readonly #outbox = new Outbox()
  /** Whether one command may name any keys: they need not be in one slot. */
  readonly #shares: boolean
  /** What waits for the end of the turn, or for something else to be sent. */
  #batch: Batch<unknown, unknown> | undefined
  /** Whether it holds the process: somebody waits for an answer. */
  #held = false

  private constructor(options: RedisOptions, timeout: number, shares: boolean) {
    this.#shares = shares
    // Those that do not answer must leave the last of them time to.
    const attempts = 1 + (options.sentinels?.length ?? 0)
    const connectTimeout = Math.ceil((timeout || CONNECT_TIMEOUT) / attempts)
    const sentinelCommandTimeout = connectTimeout
    this.#redis = new Redis({ ...options, ...OURS, connectTimeout, sentinelCommandTimeout })
    this.#watch = new ConnectionWatch(this.#redis, timeout, () => this.destroy())
  }

  /**
   * Connects and makes sure that Redis suits.
   *
   * @param predecessor ended before this one: what it sent and Redis has not read is dropped, so that
   * nothing of it comes behind what is sent here. Not where the Redis user may not CLIENT KILL.
   * @param signal ends the attempt.
   */
  static async open(
    options: RedisOptions,
    timeout: number,
    predecessor: RedisConnection | undefined,
    expected: Expected,
    signal: AbortSignal,
  ): Promise<RedisConnection> {
    const connection = new RedisConnection(options, timeout, !expected.inCluster)
    const end = (): void => connection.destroy()
    const limit = Math.ceil(timeout * CONNECT_SHARE) || CONNECT_TIMEOUT
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(noConnection(limit, options)), limit)
    })
    const check = async (): Promise<void> => {
      await connection.#connect()
      const kill = predecessor === undefined ? undefined : predecessor.#name
      const { db = 0 } = options
      connection.#name = await checkServer(connection, { ...expected, db }, kill)
    }
    signal.addEventListener('abort', end)
    try {
      await Promise.race([check(), late])
      connection.#letGo()
      if (options.sentinels) connection.#heedSentinels(options)
      return connection
    } catch (error) {
      connection.destroy()
      throw error
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
    }
  }

  get isOpen(): boolean {
    return this.#redis.status === 'ready' && this.#redis.stream.writable
  }

  /** Whether everything has its answer. */
  get isIdle(): boolean {
    return this.#batch === undefined && this.#redis.commandQueue.length === 0
  }

  send(call: Call, name: string, args: Argument[]): Promise<unknown> {
    // In the order of the calls.
    this.#sendBatch()
    const command = new OutboxCommand(name, args, this.#outbox)
    call.onAbandon(this.#thisTurn())
    this.#redis.sendCommand(command, NO_STREAM)
    if (this.#outbox.isFull) this.#outbox.flush(this.#redis.stream)
    if (!this.#held && !call.background) {
      this.#held = true
      this.#redis.stream.ref()
    }
    return command.promise
  }

  share<Item, Answer>(call: Call, errand: Errand<Item, Answer>, item: Item): Promise<Answer> {
    if (!this.#shares) return errand.alone(this, call, item)
    if (this.#batch?.errand !== errand) {
      this.#sendBatch()
      this.#batch = new Batch(errand) as Batch<unknown, unknown>
      this.#thisTurn()
    }
    const answer = this.#batch.add(call, item) as Promise<Answer>
    if (this.#batch.size === MOST) {
      this.#sendBatch()
      this.#outbox.flush(this.#redis.stream)
    }
    return answer
  }

  /** Ends it at once. What has no answer yet fails, and may have taken effect. */
  destroy(): void {
    const { stream } = this.#redis
    if (stream === undefined) this.#redis.disconnect()
    // A reset, which not every socket has, also drops what the kernel would go on sending.
    else if (stream.connecting || 'encrypted' in stream || stream.remoteFamily === undefined)
      stream.destroy()
    else stream.resetAndDestroy()
  }

  async #connect(): Promise<void> {
    let reason: unknown
    // ioredis would print it where nobody listens.
    this.#redis.on('error', error => {
      reason ??= error
    })
    try {
      await this.#redis.connect()
    } catch (error) {
      throw reason ?? error
    }
  }

  #heedSentinels(options: RedisOptions): void {
    const watch = new SentinelWatch(options, () => this.destroy())
    this.#redis.once('end', () => watch.close())
  }

  /** Holds the process only while an answer is awaited. */
  #letGo(): void {
    const { stream, commandQueue } = this.#redis
    stream.unref()
    // After ioredis, which takes what is answered off its queue.
    stream.on('data', () => {
      if (!this.#held || commandQueue.length > 0) return
      this.#held = false
      stream.unref()
    })
  }

  #sendBatch(): void {
    const batch = this.#batch
    this.#batch = undefined
    batch?.send(this)
  }

  /** Answers what is to be called when one of its calls is given up. */
  #thisTurn(): () => void {
    if (this.#turn !== undefined) return this.#turn
    const turn = this.#watch.listener()
    this.#turn = turn
    const { stream } = this.#redis
    const send = (): void => {
      this.#sendBatch()
      this.#turn = undefined
      this.#outbox.flush(stream)
    }
    // Where Redis has nothing else to answer: after all promises that are resolved by now. Otherwise
    // after all that this turn of the event loop has brought, such as requests on other sockets.
    if (this.#redis.commandQueue.length === 0) queueMicrotask(() => process.nextTick(send))
    else setImmediate(send)
    return turn
  }
}
