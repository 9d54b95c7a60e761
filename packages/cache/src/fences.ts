import type { Fill } from './fill.js'

/**
 * Tags remembered at most; beyond it the older half is forgotten. What is forgotten counts as
 * deleted: a fill that takes so long that this many tags were deleted meanwhile is not stored.
 */
const MOST_STAMPS = 10_000

/** What a fill, or a `get` from L2, holds while it runs: what has happened to its key since it began. */
export class Ticket {
  readonly key: string
  /** Whether it reads from L2, rather than runs a factory. */
  reads: boolean
  /** Fences raised later have a higher one. */
  generation: number
  /** The key was set, or stored by another fill. */
  replaced = false
  /** The key was deleted, or everything was. */
  removed: boolean
  /** The key was expired: what there was may serve where the factory fails, and for nothing else. */
  expired: boolean
  /** Whose it is; a `get` has none. */
  fill: Fill | undefined = undefined
  /** The one of the same key that began after this one, if it still runs. */
  newer: Ticket | undefined = undefined
  /** The one that began before. */
  older: Ticket | undefined
  /** Of all keys, those with a generation no lower. */
  next: Ticket | undefined = undefined
  /** Those with one no higher. */
  previous: Ticket | undefined = undefined
  isOpen = true

  constructor(
    key: string,
    reads: boolean,
    generation: number,
    removed: boolean,
    expired: boolean,
    older: Ticket | undefined,
  ) {
    this.key = key
    this.reads = reads
    this.generation = generation
    this.removed = removed
    this.expired = expired
    this.older = older
  }
}

/** An invalidation that L2 has not acknowledged yet; several of one name count together. */
export interface Pending {
  calls: number
  /** Whether one of them removes, rather than expires. */
  removes: boolean
}

/**
 * Keeps work that began before an invalidation from undoing it. A fill (an L2 read to be promoted, a
 * factory whose result is to be stored) takes a {@link Ticket} when it begins and asks when it ends
 * whether something has come between.
 *
 * A factory is outdated by invalidations called after it began. An L2 read is outdated also by those
 * acknowledged after it began: until then L2 may answer with the old value.
 *
 * Memory: a ticket for each fill, the invalidations on their way to L2, and tags deleted since about
 * when the oldest fill began, at most 10 000 of them.
 */
export class Fences {
  #generation = 0
  /** In progress, by generation. A list of its own links: a Set would hash each of them twice. */
  #first: Ticket | undefined
  #last: Ticket | undefined
  #open = 0
  /** The newest of each key, the head of a chain: seldom more than one. */
  readonly #byKey = new Map<string, Ticket>()
  readonly #pendingKeys = new Map<string, Pending>()
  readonly #pendingTags = new Map<string, Pending>()
  readonly #tagsCalled = new Stamps()
  readonly #tagsSettled = new Stamps()
  #pendingClears = 0

  begin(key: string, reads: boolean): Ticket {
    const pending = reads && this.#pendingKeys.size > 0 ? this.#pendingKeys.get(key) : undefined
    const removed = reads && (this.#pendingClears > 0 || pending?.removes === true)
    const older = this.#byKey.get(key)
    const expired = pending !== undefined
    const ticket = new Ticket(key, reads, this.#generation, removed, expired, older)
    if (older !== undefined) older.newer = ticket
    this.#byKey.set(key, ticket)
    this.#append(ticket)
    return ticket
  }

  /** The read is over, and the same fill's factory begins. That the key was set meanwhile stays true. */
  readEnded(ticket: Ticket): void {
    if (!ticket.isOpen) return
    ticket.reads = false
    ticket.removed = false
    ticket.expired = false
    ticket.generation = this.#generation
    this.#takeOut(ticket)
    this.#append(ticket)
    this.#forget()
  }

  end(ticket: Ticket): void {
    if (!ticket.isOpen) return
    ticket.isOpen = false
    // As with its neighbours: maps, too, keep for a while what they had.
    ticket.fill = undefined
    this.#takeOut(ticket)
    this.#unchain(ticket)
    this.#forget()
  }

  /** The fill of `key` that a call made now may join. */
  joinable(key: string): Fill | undefined {
    for (let ticket = this.#byKey.get(key); ticket !== undefined; ticket = ticket.older)
      if (ticket.fill?.joinable) return ticket.fill
    return undefined
  }

  /** All fills in progress. */
  fills(): Fill[] {
    const fills: Fill[] = []
    for (let ticket = this.#first; ticket !== undefined; ticket = ticket.next)
      if (ticket.fill !== undefined) fills.push(ticket.fill)
    return fills
  }

  /** Whether an invalidation has outdated what the fill makes or found, an entry with these tags. */
  outdated(ticket: Ticket, tags: readonly string[]): boolean {
    return ticket.expired || this.spoiled(ticket, tags)
  }

  /** Whether one has so that it must not serve as a stale value either. */
  spoiled(ticket: Ticket, tags: readonly string[]): boolean {
    return ticket.removed || this.hasDeleted(tags, ticket)
  }

  /** Whether one of these tags was deleted since the fill began, or is being deleted while it reads. */
  hasDeleted(tags: readonly string[], ticket: Ticket): boolean {
    const stamps = ticket.reads ? this.#tagsSettled : this.#tagsCalled
    for (const tag of tags) {
      if (stamps.since(tag, ticket.generation)) return true
      if (ticket.reads && this.#pendingTags.has(tag)) return true
    }
    return false
  }

  /** A value was put under `key`: by `set`, or by the fill that holds `ticket`. */
  replace(key: string, ticket?: Ticket): void {
    if (this.#open > 0)
      for (let other = this.#byKey.get(key); other !== undefined; other = other.older)
        if (other !== ticket) other.replaced = true
    // Calls on one key take effect in order: a read from now on sees this value, not the one before
    // a delete that has still to be acknowledged.
    if (this.#pendingKeys.size > 0) this.#pendingKeys.delete(key)
  }

  /** `key` is being deleted, or expired. To be followed by {@link settleKey}. */
  deleteKey(key: string, operation: 'delete' | 'expire' = 'delete'): Pending {
    const mark = operation === 'delete' ? 'removed' : 'expired'
    for (let ticket = this.#byKey.get(key); ticket !== undefined; ticket = ticket.older)
      ticket[mark] = true
    const pending = join(this.#pendingKeys, key)
    pending.removes ||= operation === 'delete'
    return pending
  }

  settleKey(key: string, pending: Pending): void {
    // Not the one noted: a set came after this delete.
    if (this.#pendingKeys.get(key) !== pending) return
    leave(this.#pendingKeys, key, pending)
    const mark = pending.removes ? 'removed' : 'expired'
    for (let ticket = this.#byKey.get(key); ticket !== undefined; ticket = ticket.older)
      ticket[mark] ||= ticket.reads
  }

  /** `tag` is being deleted. To be followed by {@link settleTag}. */
  deleteTag(tag: string): Pending {
    if (this.#open > 0) this.#tagsCalled.set(tag, ++this.#generation)
    return join(this.#pendingTags, tag)
  }

  settleTag(tag: string, pending: Pending): void {
    leave(this.#pendingTags, tag, pending)
    if (this.#open > 0) this.#tagsSettled.set(tag, ++this.#generation)
  }

  /** Everything is being deleted. To be followed by {@link settleAll}. */
  deleteAll(): void {
    for (let ticket = this.#first; ticket !== undefined; ticket = ticket.next) ticket.removed = true
    this.#pendingClears++
  }

  settleAll(): void {
    this.#pendingClears--
    for (let ticket = this.#first; ticket !== undefined; ticket = ticket.next)
      ticket.removed ||= ticket.reads
  }

  #append(ticket: Ticket): void {
    ticket.previous = this.#last
    ticket.next = undefined
    if (this.#last === undefined) this.#first = ticket
    else this.#last.next = ticket
    this.#last = ticket
    this.#open++
  }

  #takeOut(ticket: Ticket): void {
    const { previous, next } = ticket
    // One that has grown old would keep all that came after it until the next full garbage collection.
    ticket.previous = undefined
    ticket.next = undefined
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    this.#open--
  }

  /** Drops the stamps that nothing in progress needs. */
  #forget(): void {
    if (this.#tagsCalled.size + this.#tagsSettled.size === 0) return
    const needed = this.#first?.generation ?? this.#generation
    this.#tagsCalled.forget(needed)
    this.#tagsSettled.forget(needed)
  }

  // In constant time: on a hot key many fills run at once, and the oldest ends first.
  #unchain(ticket: Ticket): void {
    const { key, newer, older } = ticket
    ticket.newer = undefined
    ticket.older = undefined
    if (older !== undefined) older.newer = newer
    if (newer !== undefined) newer.older = older
    else if (older !== undefined) this.#byKey.set(key, older)
    else this.#byKey.delete(key)
  }

  /** What it remembers, for tests: 0 when nothing is in progress. */
  get size(): number {
    const pending = this.#pendingKeys.size + this.#pendingTags.size + this.#pendingClears
    return this.#open + this.#byKey.size + pending + this.#tagsCalled.size + this.#tagsSettled.size
  }
}

/** When each name was last stamped, oldest first. */
class Stamps {
  readonly #stamps = new Map<string, number>()
  /** Stamps up to this generation may have been dropped. */
  #floor = 0

  get size(): number {
    return this.#stamps.size
  }

  set(name: string, generation: number): void {
    // Deleted first, to move to the end.
    this.#stamps.delete(name)
    this.#stamps.set(name, generation)
    if (this.#stamps.size <= MOST_STAMPS) return
    // Half of them at once: finding the oldest of a Map again and again is slow.
    for (const [oldest, stamp] of this.#stamps) {
      if (this.#stamps.size <= MOST_STAMPS / 2) return
      this.#stamps.delete(oldest)
      this.#floor = stamp
    }
  }

  since(name: string, generation: number): boolean {
    return this.#floor > generation || (this.#stamps.get(name) ?? 0) > generation
  }

  /** Drops what no fill that began at `generation` or later needs. */
  forget(generation: number): void {
    for (const [name, stamp] of this.#stamps) {
      if (stamp > generation) return
      this.#stamps.delete(name)
    }
  }
}

function join(names: Map<string, Pending>, name: string): Pending {
  const pending = names.get(name) ?? { calls: 0, removes: false }
  pending.calls++
  names.set(name, pending)
  return pending
}

function leave(names: Map<string, Pending>, name: string, pending: Pending): void {
  if (--pending.calls === 0) names.delete(name)
}
