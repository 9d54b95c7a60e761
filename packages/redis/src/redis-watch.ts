import type { Redis } from 'ioredis'

/**
 * Ends a connection that is dead, or as good as dead: calls on it were given up, and nothing comes any
 * more. One on which others are answered stays: Redis carries out in order what it is sent there.
 */
export class ConnectionWatch {
  readonly #redis: Redis
  readonly #timeout: number
  readonly #end: () => void
  #looksAgain = false

  /** @param timeout ms that Redis has for an answer; 0 = any time. */
  constructor(redis: Redis, timeout: number, end: () => void) {
    this.#redis = redis
    this.#timeout = timeout
    this.#end = end
  }

  /**
   * Of what is sent in this turn of the event loop: to be called when the call is given up. Where that
   * is by its signal, its deadline is waited for.
   */
  listener(): () => void {
    const deadline = performance.now() + this.#timeout
    const { bytesRead } = this.#redis.stream
    let isCalled = false
    return () => {
      if (isCalled || this.#timeout === 0) return
      isCalled = true
      this.#lookAt(deadline, () => this.#redis.stream.bytesRead === bytesRead)
    }
  }

  #lookAt(time: number, isSilent: () => boolean): void {
    const left = time - performance.now()
    const look = (): void => this.#look(isSilent)
    // Where the event loop was blocked, the answer may have come: one more turn lets it in.
    if (left > 0) setTimeout(() => setImmediate(look), left).unref()
    else look()
  }

  #look(isSilent: () => boolean): void {
    const { commandQueue, stream } = this.#redis
    if (commandQueue.length === 0) return
    if (isSilent()) this.#end()
    else if (!this.#looksAgain) {
      // Something has come since, but perhaps not the answer that was waited for.
      this.#looksAgain = true
      const [first, { bytesRead }] = [commandQueue.peekFront(), stream]
      this.#lookAt(performance.now() + this.#timeout, () => {
        this.#looksAgain = false
        return commandQueue.peekFront() === first && stream.bytesRead === bytesRead
      })
    }
  }
}
