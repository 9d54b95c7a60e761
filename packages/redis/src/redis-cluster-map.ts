import type { Call } from '@l2/core'
import { ClusterNode, nameOf } from './redis-node.js'
import type { ClusterPlace } from './redis-options.js'
import { type Address, primariesIn } from './redis-slots.js'

/** How long what the cluster said of itself is taken for new, in ms. */
const FRESH = 100

/** How many nodes are asked at once for the slots, besides those that were named by the user. */
const NODES_ASKED = 3

/** What a question for the slots may take where the adapter has no `timeout`, in ms. */
const ASK_TIMEOUT = 10_000

/** A call of our own. It holds no process: the timer does, for as long as someone waits for an answer. */
const OWN: Call = { abandoned: false, background: true, onAbandon: () => {} }

/**
 * Who has which bucket, and the nodes of a cluster. It is asked of the cluster at first, and when a
 * primary is out of reach; one question at a time.
 */
export class ClusterMap {
  readonly #place: () => ClusterPlace
  readonly #timeout: number
  readonly #probe: string
  readonly #nodes = new Map<string, ClusterNode>()
  /** By bucket. */
  #owners: (ClusterNode | undefined)[] = []
  #asking: Promise<void> | undefined
  #askedAt = Number.NEGATIVE_INFINITY

  constructor(place: () => ClusterPlace, timeout: number, probe: string) {
    this.#place = place
    this.#timeout = timeout
    this.#probe = probe
  }

  /** As far as anybody has said yet. */
  ownerOf(bucket: number): ClusterNode | undefined {
    return this.#owners[bucket]
  }

  /** Resolves when the cluster has been asked once. */
  async known(): Promise<void> {
    if (this.#owners.length === 0) await this.#ask()
  }

  /** Asks for the owner of a bucket; `undefined` where it has none. */
  async find(bucket: number): Promise<ClusterNode | undefined> {
    await this.#ask()
    return this.#owners[bucket]
  }

  /** Another node that has the bucket now; `undefined` where the others know of none. */
  async successorOf(node: ClusterNode, bucket: number): Promise<ClusterNode | undefined> {
    // Where they can't be asked, what went wrong before is what the caller has to hear of.
    if (this.#owners[bucket] === node) await this.#ask(node).catch(() => {})
    const owner = this.#owners[bucket]
    return owner === node ? undefined : owner
  }

  /** A node by where it says it is. */
  at(address: Address): ClusterNode {
    return this.#node(this.#reachable(address))
  }

  /** Takes note of what a node has said. @returns the bucket's new owner. */
  moved(bucket: number, to: Address): ClusterNode {
    const owner = this.at(to)
    this.#owners[bucket] = owner
    return owner
  }

  /** Has the next call ask anew. */
  reconnect(): void {
    this.#owners = []
    this.#askedAt = Number.NEGATIVE_INFINITY
    for (const node of this.#nodes.values()) node.reconnect()
  }

  close(): void {
    for (const node of this.#nodes.values()) node.close()
  }

  #ask(failed?: ClusterNode): Promise<void> {
    if (performance.now() - this.#askedAt < FRESH) return Promise.resolve()
    this.#asking ??= this.#askSome(failed).finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  /** @param failed is asked only where there is no other. What it says is likely to be old. */
  async #askSome(failed: ClusterNode | undefined): Promise<void> {
    const known = [...new Set(this.#owners)].filter(node => node !== undefined)
    const some = shuffled(known.filter(node => node !== failed)).slice(0, NODES_ASKED)
    const asked = new Set([...some, ...this.#place().seeds.map(seed => this.#node(seed))])
    if (failed !== undefined && asked.size > 1) asked.delete(failed)
    // Whoever has not answered by then will not.
    const giveUp = (): void => {
      for (const node of asked) node.reconnect()
    }
    const timer = setTimeout(giveUp, this.#timeout || ASK_TIMEOUT)
    try {
      const answer = await Promise.any(
        [...asked].map(async node => {
          const slots = await node.use(0, OWN, sender => sender.send(OWN, 'cluster', ['SLOTS']))
          return primariesIn(slots, node.address)
        }),
      )
      this.#askedAt = performance.now()
      this.#owners = answer.map(address => address && this.at(address))
    } catch (error) {
      throw error instanceof AggregateError ? error.errors[0] : error
    } finally {
      clearTimeout(timer)
    }
    this.#forgetOthers()
  }

  /** Ends the connections to nodes that have nothing of ours. */
  #forgetOthers(): void {
    const owners = new Set(this.#owners)
    for (const [name, node] of this.#nodes) {
      if (owners.has(node) || !node.isIdle) continue
      node.reconnect()
      this.#nodes.delete(name)
    }
  }

  #node(address: Address): ClusterNode {
    const name = nameOf(address)
    const known = this.#nodes.get(name)
    if (known !== undefined) return known
    const node = new ClusterNode(address, this.#place, this.#timeout, this.#probe)
    this.#nodes.set(name, node)
    return node
  }

  /** Where a node is for us that calls itself so. */
  #reachable(address: Address): Address {
    const { natMap } = this.#place()
    const name = nameOf(address)
    return (typeof natMap === 'function' ? natMap(name) : natMap?.[name]) ?? address
  }
}

/** In an order of chance, so that not all processes ask the same nodes. */
const shuffled = <T>(all: readonly T[]): T[] =>
  all
    .map(one => ({ one, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one)
