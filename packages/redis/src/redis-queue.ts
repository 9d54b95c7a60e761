import type { Call } from '@l2/core'

/**
 * Keeps the calls of one adapter on one key in their order: while a write of a key has no answer, and
 * its connection is still there, no younger call of that key is sent. Nothing that is sent again
 * (a script that Redis has forgotten, a step that follows another) comes behind a younger call, and
 * no write that was given up undoes a younger one.
 */
export class CallQueue {
  /** For each key the last of its calls without an answer. */
  readonly #last = new Map<string, Promise<unknown>>()

  /** @param send runs at once where the key is free, and never once the call is abandoned. */
  read<T>(key: string, call: Call, send: () => Promise<T>): Promise<T> {
    // A read that need not wait keeps nobody else waiting: one connection keeps the order.
    return this.#last.has(key) ? this.write(key, call, send) : send()
  }

  /** As {@link read}, and younger calls of the key wait for it. */
  write<T>(key: string, call: Call, send: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const next = (): Promise<T> => unlessAbandoned(call, send)
    const forget = (): void => {
      if (this.#last.get(key) === answered) this.#last.delete(key)
    }
    const answered = (before === undefined ? send() : before.then(next, next)).then(
      value => {
        forget()
        return value
      },
      (error: unknown) => {
        forget()
        throw error
      },
    )
    this.#last.set(key, answered)
    return answered
  }

  /** Resolves when all calls made so far have their answers, or none will come. */
  async idle(): Promise<void> {
    if (this.#last.size > 0) await Promise.allSettled(this.#last.values())
  }
}

/** What `send` gives. @throws where nobody waits for it any more: their caller has been told. */
function unlessAbandoned<T>(call: Call, send: () => Promise<T>): Promise<T> {
  return call.abandoned ? Promise.reject(new Error('given up before it was sent')) : send()
}
