import { setTimeout as pause } from 'node:timers/promises'
import { Redis, type RedisOptions } from 'ioredis'

/** How long before another Sentinel is tried, in ms. */
const PAUSE = 1_000

/** What a Sentinel may take to answer, in ms. */
const PATIENCE = 2_000

/** How long nothing may come before the kernel asks whether the Sentinel is still there, in ms. */
const KEEP_ALIVE = 5_000

/** Says that another Redis is the primary: `<name> <old host> <old port> <new host> <new port>`. */
const CHANNEL = '+switch-master'

/**
 * Listens to one Sentinel at a time, to hear when another Redis has become the primary. The old one,
 * where it still runs, learns of it some ten seconds later, and would take writes until then, which
 * are lost. Does not hold the process.
 */
export class SentinelWatch {
  readonly #options: RedisOptions
  readonly #onSwitch: () => void
  #redis: Redis | undefined
  #primary: string | undefined
  #closed = false

  /** @param onSwitch is called each time. */
  constructor(options: RedisOptions, onSwitch: () => void) {
    this.#options = options
    this.#onSwitch = onSwitch
    this.#listen()
  }

  close(): void {
    this.#closed = true
    this.#redis?.disconnect()
  }

  async #listen(): Promise<void> {
    const { sentinels = [] } = this.#options
    for (let at = 0; !this.#closed; at++) {
      const { host, port } = sentinels[at % sentinels.length] ?? {}
      const redis = this.#clientOf(host ?? '127.0.0.1', port ?? 26_379)
      this.#redis = redis
      try {
        await this.#hear(redis)
      } catch {
        // Another may answer.
      }
      redis.disconnect()
      if (!this.#closed) await pause(PAUSE, undefined, { ref: false })
    }
  }

  /** Resolves when the Sentinel has gone. */
  async #hear(redis: Redis): Promise<void> {
    const name = String(this.#options.name)
    const gone = new Promise(resolve => redis.once('end', resolve))
    redis.on('message', (_, text: string) => {
      if (text.startsWith(`${name} `)) this.#onSwitch()
    })
    const connected = redis.connect()
    // There is a socket from the next turn on.
    setImmediate(() => redis.stream?.unref())
    await connected
    const asked = redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)
    // Sent along, so that nothing happens in between.
    await Promise.all([asked, redis.subscribe(CHANNEL)])
    const primary = String(await asked)
    // What was said while nobody listened.
    if (this.#primary !== undefined && this.#primary !== primary) this.#onSwitch()
    this.#primary = primary
    await gone
  }

  #clientOf(host: string, port: number): Redis {
    const { sentinelUsername, sentinelPassword, sentinelTLS, family } = this.#options
    const redis = new Redis({
      host,
      port,
      ...(family !== undefined && { family }),
      ...(sentinelUsername && { username: sentinelUsername }),
      ...(sentinelPassword && { password: sentinelPassword }),
      ...(sentinelTLS && { tls: sentinelTLS }),
      lazyConnect: true,
      retryStrategy: null,
      enableReadyCheck: false,
      connectTimeout: PATIENCE,
      // One whose machine has gone does not say so.
      keepAlive: KEEP_ALIVE,
    })
    redis.on('error', () => {})
    return redis
  }
}
