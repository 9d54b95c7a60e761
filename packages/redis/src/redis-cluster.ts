import { setTimeout as pause } from 'node:timers/promises'
import { type Call, L2Error } from '@l2/core'
import { BUCKETS, type Keyspace } from './redis-keys.js'
import { Asking, ClusterNode, nameOf } from './redis-node.js'
import type { ClusterPlace } from './redis-options.js'
import type { Layout, Route, Send, Sender } from './redis-route.js'
import { type Address, primariesIn, type Refusal, refusalIn } from './redis-slots.js'

/** How often one step may be sent on to another node: ioredis's own. */
const MOST_REDIRECTIONS = 16

/** The longest pause before a node is told again what it could not do while it moves a slot, in ms. */
const LONGEST_PAUSE = 100

/** How long what the cluster said of itself is taken for new, in ms. */
const FRESH = 100

/** How many nodes are asked at once for the slots, besides those that were named by the user. */
const NODES_ASKED = 3

/** What a question for the slots may take where the adapter has no `timeout`, in ms. */
const ASK_TIMEOUT = 10_000

/** A call of our own: it holds the process, as those do that wait for it. */
const OWN: Call = { abandoned: false, background: false, onAbandon: () => {} }

/**
 * The way to the nodes of a Redis Cluster, each with a connection of its own. Who has which bucket is
 * asked at the first call and when a primary is out of reach; what moves meanwhile, the nodes tell.
 *
 * Only what a node has refused, and so not carried out, is sent again; what was lost with a connection
 * fails. Nor is anything sent again whose call was given up.
 */
export class RedisCluster implements Route {
  readonly #place: () => ClusterPlace
  readonly #timeout: number
  readonly #keys: Keyspace
  readonly #nodes = new Map<string, ClusterNode>()
  /** By bucket. */
  #owners: (ClusterNode | undefined)[] = []
  #asking: Promise<void> | undefined
  #askedAt = Number.NEGATIVE_INFINITY

  /** @param place how to connect, asked anew each time: passwords change. */
  constructor(place: () => ClusterPlace, timeout: number, keys: Keyspace) {
    this.#place = place
    this.#timeout = timeout
    this.#keys = keys
  }

  async use<T>(bucket: number, call: Call, send: Send<T>): Promise<T> {
    let owner = this.#owners[bucket]
    if (!owner?.isOpen) owner = await this.#reach(bucket, call)
    try {
      return await owner.use(bucket, call, send)
    } catch (error) {
      return await this.#sendAgain(bucket, call, send, owner, error)
    }
  }

  async heads(): Promise<readonly number[]> {
    if (this.#owners.length === 0) await this.#ask()
    const heads = new Map<ClusterNode | undefined, number>()
    for (let bucket = 0; bucket < BUCKETS; bucket++) heads.set(this.#owners[bucket], bucket)
    return [...heads.values()]
  }

  async layout(call: Call): Promise<Layout> {
    const nodes = new Set<ClusterNode>()
    const names = await Promise.all(
      Array.from({ length: BUCKETS }, async (_, bucket) => {
        // A name that is nowhere: who is giving the slot away tells to whom.
        let last: Sender | undefined
        await this.use(bucket, call, sender => {
          last = sender
          return sender.send(call, 'exists', [this.#keys.probe(bucket)])
        })
        const owner = this.#owners[bucket]
        const next = last instanceof Asking ? last.node : undefined
        for (const node of [owner, next]) if (node !== undefined) nodes.add(node)
        return [owner?.name, next?.name].join('>')
      }),
    )
    return {
      nodes: [...nodes],
      name: names.join(),
      moving: names.some(name => !name.endsWith('>')),
    }
  }

  reconnect(): void {
    this.#owners = []
    this.#askedAt = Number.NEGATIVE_INFINITY
    for (const node of this.#nodes.values()) node.reconnect()
  }

  close(): void {
    for (const node of this.#nodes.values()) node.close()
  }

  /** The node that has the bucket, with a connection to it. */
  async #reach(bucket: number, call: Call): Promise<ClusterNode> {
    if (this.#owners[bucket] === undefined) await this.#ask()
    const owner = this.#owners[bucket]
    if (owner === undefined) throw nobodyHas(bucket)
    try {
      await owner.use(bucket, call, connected)
      return owner
    } catch (error) {
      // Nothing has been sent yet. It may be gone, and another in its place.
      const next = await this.#successorOf(owner, bucket)
      if (next === undefined || call.abandoned) throw error
      await next.use(bucket, call, connected)
      return next
    }
  }

  async #sendAgain<T>(
    bucket: number,
    call: Call,
    send: Send<T>,
    owner: ClusterNode,
    refused: unknown,
  ): Promise<T> {
    let [asked, error] = [owner, refused]
    let redirections = 0
    let movingSince: number | undefined
    for (;;) {
      const refusal = refusalIn(error, asked.address)
      if (refusal === undefined || call.abandoned) throw error
      if (++redirections > MOST_REDIRECTIONS) throw sentRound()
      asked = await this.#next(refusal, bucket, asked, error)
      if (refusal.word === 'TRYAGAIN') {
        redirections = 0
        if (movingSince === undefined) movingSince = performance.now()
        else await this.#pause(performance.now() - movingSince, call)
        if (call.abandoned) throw error
      }
      const moving = movingSince === undefined ? 0 : performance.now() - movingSince + 1
      const node = asked
      try {
        return await node.use(bucket, call, sender =>
          send(refusal.word === 'ASK' ? new Asking(node, sender) : sender, moving),
        )
      } catch (next) {
        error = next
      }
    }
  }

  /** Who is to be told next what was refused. @throws `error` where that is nobody. */
  async #next(
    refusal: Refusal,
    bucket: number,
    asked: ClusterNode,
    error: unknown,
  ): Promise<ClusterNode> {
    if (refusal.word === 'ASK') return this.#node(this.#reachable(refusal.to))
    if (refusal.word === 'MOVED') {
      const owner = this.#node(this.#reachable(refusal.to))
      this.#owners[bucket] = owner
      return owner
    }
    if (refusal.word === 'TRYAGAIN') return this.#owners[bucket] ?? asked
    const successor = await this.#successorOf(asked, bucket)
    if (successor === undefined) throw error
    return successor
  }

  #pause(passed: number, call: Call): Promise<void> {
    return pause(Math.min(5 + passed / 4, LONGEST_PAUSE), undefined, { ref: !call.background })
  }

  /** Another node that has the bucket now; `undefined` where the others know of none. */
  async #successorOf(node: ClusterNode, bucket: number): Promise<ClusterNode | undefined> {
    // Where they can't be asked, what went wrong before is what the caller has to hear of.
    if (this.#owners[bucket] === node) await this.#ask(node).catch(() => {})
    const owner = this.#owners[bucket]
    return owner === node ? undefined : owner
  }

  /** Asks the cluster who has which slot. One question at a time. */
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
      this.#owners = answer.map(address => address && this.#node(this.#reachable(address)))
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
    const node = new ClusterNode(address, this.#place, this.#timeout, this.#keys.probe(0))
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

const connected = (): Promise<void> => Promise.resolve()

const nobodyHas = (bucket: number): L2Error =>
  new L2Error(
    'L2_UNAVAILABLE',
    `the Redis Cluster has no primary for the slot of {${bucket}}: each slot needs one.`,
  )

const sentRound = (): L2Error =>
  new L2Error('L2_UNAVAILABLE', 'the nodes of the Redis Cluster do not agree who has this slot.')

/** In an order of chance, so that not all processes ask the same nodes. */
const shuffled = <T>(all: readonly T[]): T[] =>
  all
    .map(one => ({ one, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one)
