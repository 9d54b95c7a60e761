import type { Backend, Call } from '../../src/backend.js'
import { expiryOf, now } from '../../src/clock.js'
import type { ClosableAdapter, Subject } from '../../src/conformance/index.js'
import { GuardedAdapter } from '../../src/guarded-adapter.js'
import { Link, type Row, Server } from './server.js'

export const SLICE = 250
/** For what a mutant sends by itself: nobody gives it up. */
export const ALIVE: Call = { abandoned: false, background: true, onAbandon: () => {} }
/** Of adapters whose backend is about to hang: short, since cases wait for it. */
const SHORT_TIMEOUT = 400

/**
 * A right adapter in few words, over a server that it reaches by a connection: what a mutant
 * differs from in a few lines. It shares no code with the packages' adapters but the guard.
 */
export class TwinBackend implements Backend {
  /** Which of its server's handles this is: 0, 1, … */
  readonly handle: number

  readonly prefix: string
  readonly server: Server
  readonly link: Link

  constructor(prefix: string, server: Server, link: Link) {
    this.prefix = prefix
    this.server = server
    this.link = link
    this.handle = server.handles++
  }

  get(key: string, call: Call): Promise<Uint8Array | undefined> {
    return this.link.send(call, () => this.read(key))
  }

  set(
    key: string,
    value: Uint8Array,
    ttl: number,
    tags: readonly string[],
    call: Call,
  ): Promise<void> {
    return this.link.send(call, () => this.write(key, value, ttl, tags))
  }

  delete(key: string, call: Call): Promise<void> {
    return this.link.send(call, () => this.remove(this.server.rows.get(this.idOf(key))))
  }

  deleteByTag(tag: string, call: Call): AsyncGenerator<number> {
    return this.inSlices(call, end => this.removeTagged(tag, end))
  }

  clear(call: Call): AsyncGenerator<number> {
    return this.inSlices(call, end =>
      this.removeSome(this.server.rows.values(), end, row => this.owns(row)),
    )
  }

  sweep(call: Call): AsyncGenerator<number> {
    const rows = this.server.rows
    return this.inSlices(call, end =>
      this.removeSome(rows.values(), end, row => this.owns(row) && this.expired(row)),
    )
  }

  ping(call: Call): Promise<void> {
    return this.link.send(call, () => {})
  }

  close(): void {
    this.link.close()
  }

  // The steps, each of which runs at the server in one go.

  read(key: string): Uint8Array | undefined {
    const row = this.server.rows.get(this.idOf(key))
    return row === undefined || this.expired(row) ? undefined : this.decode(row.value)
  }

  write(key: string, value: Uint8Array, ttl: number, tags: readonly string[]): void {
    const id = this.idOf(key)
    const old = this.server.rows.get(id)
    this.remove(old)
    const row: Row = {
      id,
      prefix: this.prefix,
      key,
      value: this.encode(value),
      expiry: this.expiryOf(ttl, old),
      tags: this.tagsOf(tags, old),
      sequence: this.server.sequence++,
    }
    this.put(row)
    this.index(row)
  }

  put(row: Row): void {
    this.server.rows.set(row.id, row)
  }

  index(row: Row): void {
    for (const tag of row.tags) {
      const members = this.server.index.get(this.tagId(tag))
      if (members === undefined) this.server.index.set(this.tagId(tag), new Set([row.id]))
      else members.add(row.id)
    }
  }

  unindex(row: Row): void {
    for (const tag of row.tags) {
      const members = this.server.index.get(this.tagId(tag, row.prefix))
      members?.delete(row.id)
      if (members?.size === 0) this.server.index.delete(this.tagId(tag, row.prefix))
    }
  }

  remove(row: Row | undefined): void {
    if (row === undefined) return
    this.server.rows.delete(row.id)
    this.unindex(row)
  }

  removeTagged(tag: string, end: number): number {
    const ids = this.server.index.get(this.tagId(tag)) ?? []
    return this.removeSome(this.rowsOf(ids), end, () => true)
  }

  *rowsOf(ids: Iterable<string>): Generator<Row> {
    for (const id of ids) {
      const row = this.server.rows.get(id)
      if (row !== undefined) yield row
    }
  }

  /** Removes a slice of the rows that were written before `end`. */
  removeSome(rows: Iterable<Row>, end: number, matches: (row: Row) => boolean): number {
    let removed = 0
    for (const row of rows) {
      if (row.sequence >= end || removed === SLICE) break
      if (!matches(row)) continue
      this.remove(row)
      removed++
    }
    return removed
  }

  async *inSlices(call: Call, slice: (end: number) => number): AsyncGenerator<number> {
    const end = await this.link.send(call, () => this.server.sequence)
    for (;;) {
      const removed = await this.link.send(call, () => slice(end))
      yield removed
      if (removed < SLICE) return
    }
  }

  // What mutants get wrong.

  idOf(key: string): string {
    return JSON.stringify([this.prefix, key])
  }

  tagId(tag: string, prefix = this.prefix): string {
    return JSON.stringify([prefix, tag])
  }

  owns(row: Row): boolean {
    return row.prefix === this.prefix
  }

  expired(row: Row): boolean {
    return row.expiry <= now()
  }

  expiryOf(ttl: number, _old: Row | undefined): number {
    return expiryOf(ttl)
  }

  tagsOf(tags: readonly string[], _old: Row | undefined): readonly string[] {
    return tags
  }

  encode(value: Uint8Array): Uint8Array {
    return value
  }

  decode(value: Uint8Array): Uint8Array {
    return value
  }
}

/** The twin, or a mutant of it: what stands in front of the guard, and behind. */
export interface Parts {
  readonly Backend?: typeof TwinBackend
  readonly Adapter?: typeof GuardedAdapter
}

/**
 * The twin or mutant as the kit's subject, with every hook. Fresh: no case sees another's rows.
 *
 * @param group of the case that it is for.
 */
export function subjectOf(
  { Backend = TwinBackend, Adapter = GuardedAdapter }: Parts,
  group: string,
): Subject {
  const server = new Server()
  const timeout = group === 'cut' || group === 'stall' ? SHORT_TIMEOUT : 5_000
  const connect = (namespace: string): { adapter: ClosableAdapter; link: Link } => {
    const link = new Link(server, namespace)
    const options = { prefix: namespace, timeout, sweepInterval: 0 }
    const adapter = new Adapter(options, () => new Backend(namespace, server, link))
    return { adapter, link }
  }
  const open = (namespace: string): ClosableAdapter => connect(namespace).adapter
  return {
    open,
    openElsewhere: open,
    openUnprefixed: () => open(''),
    timeout,
    seed: 1,
    residue: namespace => {
      let count = 0
      for (const [tag, members] of server.index) {
        if (JSON.parse(tag)[0] === namespace) count += members.size || 1
      }
      return count
    },
    sweep: async namespace => {
      const adapter = connect(namespace).adapter as GuardedAdapter
      await adapter.sweep()
      await adapter.close()
    },
    cut: namespace => server.break(namespace, 'cut'),
    stall: namespace => server.break(namespace, 'stall'),
    restore: namespace => server.restore(namespace),
    crash: async (namespace, key) => {
      const { adapter, link } = connect(namespace)
      // Every moment of a set is reached after some rounds, whatever its number of steps.
      const turns = 3 + server.random.int(9)
      let alive = true
      const write = async (): Promise<void> => {
        for (let i = 0; alive; i = (i + 1) % 3) {
          await adapter.set(key, new Uint8Array(1_000).fill(i), { tags: [`${key}:${i}`] })
          // A mutant that answers at once must not keep the rest of the process from its turn.
          await new Promise(resolve => setImmediate(resolve))
        }
      }
      // The last set is never answered: nobody is there to wait for it.
      write().catch(() => {})
      for (let turn = 0; turn < turns; turn++) await new Promise(resolve => setImmediate(resolve))
      alive = false
      link.kill()
    },
  }
}
