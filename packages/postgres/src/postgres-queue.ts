import type { Call } from '@l2/core'

/** One call of one key. */
export interface Keyed {
  readonly key: string
  readonly writes: boolean
  readonly call: Call
  /** The queue's own. */
  era: Era | undefined
  resolve(value: Uint8Array | undefined): void
  reject(error: unknown): void
}

/** The calls that were made between two that wait for all before them. */
interface Era {
  /** How many have no answer. */
  open: number
  onEnd?: () => void
}

/** What is under way for one key: either some reads or one write. */
interface Lane<T> {
  /** How many calls have been sent and have no answer. */
  sent: number
  /** Whether it is a write. */
  writes: boolean
  /** Writes that need not be sent once the one that has been is done: it came after them. */
  covered: readonly T[]
  readonly waiting: T[]
}

const NONE: readonly never[] = []

/**
 * Keeps the calls of one adapter on one key in their order, whatever connections they go out on: no call
 * is sent while an older one of the same key is under way, but reads together.
 *
 * Of writes that wait together only the last is sent, and once it is done all are: none of the others
 * could have been seen. Where it is refused, or its caller gave it up before it was sent, that is no
 * matter of the others: the one before it is sent in its place, and so on.
 */
export class CallQueue<T extends Keyed> {
  readonly #lanes = new Map<string, Lane<T>>()
  readonly #send: (item: T) => void
  #era: Era = { open: 0 }
  #before: Promise<unknown> = Promise.resolve()

  /** @param send is told of each call once it may be sent. It answers by one of the methods below. */
  constructor(send: (item: T) => void) {
    this.#send = send
  }

  add(item: T): void {
    item.era = this.#era
    this.#era.open++
    const lane = this.#lanes.get(item.key)
    if (lane === undefined) {
      this.#lanes.set(item.key, { sent: 1, writes: item.writes, covered: NONE, waiting: [] })
      this.#send(item)
    } else if (!item.writes && !lane.writes && lane.waiting.length === 0) {
      lane.sent++
      this.#send(item)
    } else lane.waiting.push(item)
  }

  /** It was answered. */
  done(item: T, value?: Uint8Array): void {
    const lane = this.#laneOf(item)
    for (const one of lane.covered) {
      this.#close(one)
      one.resolve(undefined)
    }
    lane.covered = NONE
    this.#close(item)
    item.resolve(value)
    this.#next(item.key, lane)
  }

  /** It has no effect, nor will it have one. */
  refused(item: T, error: unknown): void {
    const lane = this.#laneOf(item)
    this.#close(item)
    item.reject(error)
    const covered = [...lane.covered]
    for (let one = covered.pop(); one !== undefined; one = covered.pop()) {
      lane.covered = covered
      if (!one.call.abandoned) {
        this.#send(one)
        return
      }
      this.#close(one)
    }
    this.#next(item.key, lane)
  }

  /** Its connection is gone: nobody knows. */
  lost(item: T, error: unknown): void {
    const lane = this.#laneOf(item)
    for (const one of [...lane.covered, item]) {
      this.#close(one)
      one.reject(error)
    }
    lane.covered = NONE
    this.#next(item.key, lane)
  }

  /** Resolves when all calls made so far have their answers, or none will come. */
  idle(): Promise<unknown> {
    const era = this.#era
    if (era.open > 0) {
      this.#era = { open: 0 }
      const end = new Promise<void>(resolve => {
        era.onEnd = resolve
      })
      this.#before = Promise.all([this.#before, end])
    }
    return this.#before
  }

  #next(key: string, lane: Lane<T>): void {
    lane.sent--
    while (lane.sent === 0) {
      const group = this.#nextGroup(lane.waiting)
      const last = group.at(-1)
      if (last === undefined) {
        if (lane.waiting.length > 0) continue
        this.#lanes.delete(key)
        return
      }
      lane.writes = last.writes
      if (last.writes) lane.covered = group.splice(0, group.length - 1)
      lane.sent = group.length
      for (const one of group) this.#send(one)
    }
  }

  /** Those at the start that are all reads or all writes, but not what was given up meanwhile. */
  #nextGroup(waiting: T[]): T[] {
    const [first] = waiting
    let end = waiting.findIndex(({ writes }) => writes !== first?.writes)
    if (end < 0) end = waiting.length
    return waiting.splice(0, end).filter(one => {
      if (one.call.abandoned) this.#close(one)
      return !one.call.abandoned
    })
  }

  #laneOf({ key }: T): Lane<T> {
    const lane = this.#lanes.get(key)
    if (lane === undefined) throw new Error('answered, but was not sent')
    return lane
  }

  #close({ era }: T): void {
    if (era !== undefined && --era.open === 0) era.onEnd?.()
  }
}
