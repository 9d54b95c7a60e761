import type { Call } from '../../src/backend.js'
import { type Random, seededRandom } from '../../src/conformance/random.js'

/** A stored entry. */
export interface Row {
  readonly id: string
  readonly prefix: string
  readonly key: string
  readonly value: Uint8Array
  expiry: number
  tags: readonly string[]
  /** Counts up over all writes. */
  sequence: number
}

/** What a backend keeps: rows, and which of them carry a tag. */
export class Server {
  readonly rows = new Map<string, Row>()
  /** Tag id to row ids. */
  readonly index = new Map<string, Set<string>>()
  sequence = 0
  /** Handles opened so far. */
  handles = 0
  readonly random: Random = seededRandom(1)
  /** Namespaces that are cut off or hang. */
  readonly broken = new Map<string, 'cut' | 'stall'>()
  readonly links = new Set<Link>()

  stateOf(prefix: string): 'cut' | 'stall' | undefined {
    for (const [namespace, how] of this.broken) if (prefix.startsWith(namespace)) return how
    return undefined
  }

  break(namespace: string, how: 'cut' | 'stall'): void {
    this.broken.set(namespace, how)
    for (const link of this.links) link.wake()
  }

  restore(namespace: string): void {
    this.broken.delete(namespace)
    for (const link of this.links) link.wake()
  }
}

interface Step {
  readonly call: Call
  readonly run: () => void
  readonly fail: (error: Error) => void
}

/**
 * One client's connection: steps run at the server in the order they were sent, a few a turn, so
 * that the steps of several clients mix.
 */
export class Link {
  readonly #server: Server
  readonly #prefix: string
  #steps: Step[] = []
  #scheduled = false
  #dead = false

  constructor(server: Server, prefix: string) {
    this.#server = server
    this.#prefix = prefix
    server.links.add(this)
  }

  /** Runs `step` at the server, in a later turn and in one go. */
  send<T>(call: Call, step: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = (): void => {
        try {
          resolve(step())
        } catch (error) {
          reject(error)
        }
      }
      this.#steps.push({ call, run, fail: reject })
      this.wake()
    })
  }

  wake(): void {
    if (this.#scheduled || this.#steps.length === 0) return
    this.#scheduled = true
    setImmediate(() => this.#proceed())
  }

  /** The client's process is gone: what it had not sent is never run, and nobody waits for it. */
  kill(): void {
    this.#dead = true
    this.close()
  }

  close(): void {
    this.#steps = []
    this.#server.links.delete(this)
  }

  #proceed(): void {
    this.#scheduled = false
    if (this.#dead) return
    const state = this.#server.stateOf(this.#prefix)
    if (state === 'stall') return
    if (state === 'cut') {
      const lost = this.#steps
      this.#steps = []
      for (const { fail } of lost) fail(new Error('connection lost'))
      return
    }
    for (let left = 1 + this.#server.random.int(6); left > 0; left--) {
      const step = this.#steps.shift()
      if (step === undefined) return
      // What was given up is never carried out later.
      if (!step.call.abandoned) step.run()
    }
    this.wake()
  }
}
