import type { Call } from '@l2/core'
import type { Errand } from './redis-batch.js'
import { RedisClient } from './redis-client.js'
import type { ClusterPlace } from './redis-options.js'
import type { Argument, Sender } from './redis-route.js'
import type { Address } from './redis-slots.js'

/** One node of a cluster. */
export class ClusterNode extends RedisClient {
  readonly address: Address
  readonly name: string

  /** @param place asked anew for each connection: passwords change. */
  constructor(address: Address, place: () => ClusterPlace, timeout: number, probe: string) {
    super(() => ({ ...place().each, ...address }), timeout, probe, true)
    this.address = address
    this.name = nameOf(address)
  }
}

export const nameOf = ({ host, port }: Address): string => `${host}:${port}`

/** A connection to the node that is about to get a slot, and has some of its keys already. */
export class Asking implements Sender {
  readonly node: ClusterNode
  readonly #sender: Sender

  constructor(node: ClusterNode, sender: Sender) {
    this.node = node
    this.#sender = sender
  }

  get isOpen(): boolean {
    return this.#sender.isOpen
  }

  send(call: Call, name: string, args: Argument[]): Promise<unknown> {
    // Holds for the one command that follows, which fails too where this does.
    this.#sender.send(call, 'asking', []).catch(() => {})
    return this.#sender.send(call, name, args)
  }

  share<Item, Answer>(call: Call, errand: Errand<Item, Answer>, item: Item): Promise<Answer> {
    return errand.alone(this, call, item)
  }
}
