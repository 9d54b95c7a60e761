// @ts-check
import { setTimeout as pause } from 'node:timers/promises'

/** @typedef {import('ioredis').Redis} Redis */

/** One slot on its way from one node of a cluster to another, as `redis-cli --cluster reshard` does it. */
export class SlotMove {
  #nodes
  #slot
  #from
  #to

  /**
   * @param {readonly Redis[]} nodes
   * @param {number} slot
   * @param {number} to which of the nodes gets it
   */
  static async of(nodes, slot, to) {
    const target = /** @type {Redis} */ (nodes[to])
    for (const node of nodes) {
      const own = await node.call('CLUSTER', 'NODES')
      const [, slots = ''] = /myself,.* connected ?(.*)/.exec(String(own)) ?? []
      const has = slots.split(' ').some(range => {
        const [first = -1, last = first] = range.split('-').map(Number)
        return first <= slot && slot <= last
      })
      if (has) return new SlotMove(nodes, slot, node, target)
    }
    throw new Error(`nobody has slot ${slot}`)
  }

  /**
   * @private
   * @param {readonly Redis[]} nodes
   * @param {number} slot
   * @param {Redis} from
   * @param {Redis} to
   */
  constructor(nodes, slot, from, to) {
    this.#nodes = nodes
    this.#slot = slot
    this.#from = from
    this.#to = to
  }

  /** Whether the slot is elsewhere yet. */
  get isNeeded() {
    return this.#from !== this.#to
  }

  /** From now on keys may be on either side. */
  async begin() {
    if (!this.isNeeded) return
    const [from, to] = await Promise.all([this.#from, this.#to].map(idOf))
    await this.#to.call('CLUSTER', 'SETSLOT', this.#slot, 'IMPORTING', String(from))
    await this.#from.call('CLUSTER', 'SETSLOT', this.#slot, 'MIGRATING', String(to))
  }

  /**
   * Who has an empty slot says that the other one has, which does not know of it: each names the other,
   * until the `end`.
   */
  async dispute() {
    await this.#from.call('CLUSTER', 'SETSLOT', this.#slot, 'NODE', await idOf(this.#to))
  }

  /** Moves what `wanted` says, and tells how many that were. */
  async keys(/** @type {(name: string) => boolean} */ wanted = () => true, most = 1_000_000) {
    if (!this.isNeeded) return 0
    const all = await this.#from.call('CLUSTER', 'GETKEYSINSLOT', this.#slot, most)
    const names = /** @type {string[]} */ (all).filter(wanted)
    const { host = '', port = 0, password = '' } = this.#to.options
    const place = [host, port, '', 0, 10_000, 'AUTH', password]
    if (names.length > 0) await this.#from.call('MIGRATE', ...place, 'KEYS', ...names)
    return names.length
  }

  async end() {
    while ((await this.keys(undefined, 10)) > 0);
    await this.#agreement()
    const id = await idOf(this.#to)
    for (const node of [this.#to, this.#from, ...this.#nodes])
      await node.call('CLUSTER', 'SETSLOT', this.#slot, 'NODE', id)
  }

  /**
   * The node that gets a slot makes itself an epoch above all that it has heard of. Where it has not
   * heard of the latest, what others have said with that one undoes the move, and its keys are gone.
   */
  async #agreement() {
    for (;;) {
      const all = await Promise.all(this.#nodes.map(node => node.call('CLUSTER', 'INFO')))
      const epochs = all.map(info => /cluster_current_epoch:(\d+)/.exec(String(info))?.[1])
      if (new Set(epochs).size === 1) return
      await pause(5)
    }
  }
}

const idOf = async (/** @type {Redis} */ node) => String(await node.call('CLUSTER', 'MYID'))
