import { Command } from 'ioredis'
import type { Outbox } from './redis-outbox.js'
import type { Argument } from './redis-route.js'

/**
 * A command of ioredis, which has its place in the queue of answers, that goes into an {@link Outbox}:
 * ioredis itself would copy each value once more.
 */
export class OutboxCommand extends Command {
  readonly #outbox: Outbox
  readonly #args: readonly Argument[]

  constructor(name: string, args: readonly Argument[], outbox: Outbox) {
    super(name)
    this.#outbox = outbox
    this.#args = args
  }

  /** What ioredis calls where the command is to be written. */
  override toWritable(): string {
    this.#outbox.add(this.name, this.#args)
    return ''
  }
}
