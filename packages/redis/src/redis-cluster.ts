import { setTimeout as pause } from 'node:timers/promises'
import { type Call, L2Error } from '@l2/core'
import { ClusterMap } from './redis-cluster-map.js'
import { BUCKETS, type Keyspace } from './redis-keys.js'
import { Asking, type ClusterNode } from './redis-node.js'
import type { ClusterPlace } from './redis-options.js'
import type { Layout, Route, Send, Sender } from './redis-route.js'
import { type Refusal, refusalIn } from './redis-slots.js'

/** A slot that has moved, or is just moving, takes one or two. */
const PROMPT_REDIRECTIONS = 2

/** How often one step may be sent on to another node: ioredis's own. */
const MOST_REDIRECTIONS = 16

/** The longest pause before a node is told again what it could not do while it moves a slot, in ms. */
const LONGEST_PAUSE = 100

/**
 * The way to the nodes of a Redis Cluster, each with a connection of its own. Who has which bucket is
 * asked at the first call and when a primary is out of reach; what moves meanwhile, the nodes tell.
 *
 * Only what a node has refused, and so not carried out, is sent again; what was lost with a connection
 * fails. Nor is anything sent again whose call was given up.
 */
export class RedisCluster implements Route {
  readonly #map: ClusterMap
  readonly #keys: Keyspace

  /** @param place how to connect, asked anew each time: passwords change. */
  constructor(place: () => ClusterPlace, timeout: number, keys: Keyspace) {
    this.#map = new ClusterMap(place, timeout, keys.probe(0))
    this.#keys = keys
  }

  async use<T>(bucket: number, call: Call, send: Send<T>): Promise<T> {
    let owner = this.#map.ownerOf(bucket)
    if (!owner?.isOpen) owner = await this.#reach(bucket, call)
    try {
      return await owner.use(bucket, call, send)
    } catch (error) {
      return await this.#sendAgain(bucket, call, send, owner, error)
    }
  }

  async heads(): Promise<readonly number[]> {
    await this.#map.known()
    const heads = new Map<ClusterNode | undefined, number>()
    for (let bucket = 0; bucket < BUCKETS; bucket++) heads.set(this.#map.ownerOf(bucket), bucket)
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
        const owner = this.#map.ownerOf(bucket)
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
    this.#map.reconnect()
  }

  close(): void {
    this.#map.close()
  }

  /** The node that has the bucket, with a connection to it. */
  async #reach(bucket: number, call: Call): Promise<ClusterNode> {
    const owner = this.#map.ownerOf(bucket) ?? (await this.#map.find(bucket))
    if (owner === undefined) throw nobodyHas(bucket)
    try {
      await owner.use(bucket, call, connected)
      return owner
    } catch (error) {
      // Nothing has been sent yet. It may be gone, and another in its place.
      const next = await this.#map.successorOf(owner, bucket)
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
    const began = performance.now()
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
      } else if (redirections > PROMPT_REDIRECTIONS) {
        await this.#pause(performance.now() - began, call)
      }
      if (call.abandoned) throw error
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
    if (refusal.word === 'ASK') return this.#map.at(refusal.to)
    if (refusal.word === 'MOVED') return this.#map.moved(bucket, refusal.to)
    if (refusal.word === 'TRYAGAIN') return this.#map.ownerOf(bucket) ?? asked
    const successor = await this.#map.successorOf(asked, bucket)
    if (successor === undefined) throw error
    return successor
  }

  #pause(passed: number, call: Call): Promise<void> {
    return pause(Math.min(5 + passed / 4, LONGEST_PAUSE), undefined, { ref: !call.background })
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
