import type { Call } from './history.js'

/** A call that changes something, with what is known about when. */
export interface Write {
  readonly call: Call
  readonly begin: number
  /** It took effect by then, or never will. ns. */
  latest: number
  /** Whether it took effect: it was acknowledged, or its value was seen. */
  certain: boolean
}

/** How many of a sorted list come before the first that is not `below`. */
function countBelow<T>(list: readonly T[], below: (item: T) => boolean): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (below(list[middle] as T)) low = middle + 1
    else high = middle
  }
  return low
}

const earlier = (one: Write | undefined, other: Write | undefined): Write | undefined =>
  one === undefined || (other !== undefined && other.latest < one.latest) ? other : one

/** Writes in the order they began. All questions but `possible` are answered in O(log n). */
export class Timeline {
  readonly #writes: readonly Write[]
  /** For each place: of the certain ones from there on, the one that took effect first. */
  readonly #firstFrom: (Write | undefined)[]
  /** For each place: the highest `latest` up to there. */
  readonly #latestUpTo: number[]

  constructor(writes: readonly Write[]) {
    this.#writes = writes.toSorted((a, b) => a.begin - b.begin)
    this.#firstFrom = new Array(writes.length + 1)
    for (let at = writes.length - 1; at >= 0; at--) {
      const write = this.#writes[at] as Write
      const next = this.#firstFrom[at + 1]
      this.#firstFrom[at] = write.certain ? earlier(write, next) : next
    }
    let latest = Number.NEGATIVE_INFINITY
    this.#latestUpTo = this.#writes.map(write => (latest = Math.max(latest, write.latest)))
  }

  /** Of the certain writes that began after `time`, the one that took effect first. */
  firstAfter(time: number): Write | undefined {
    return this.#firstFrom[countBelow(this.#writes, write => write.begin <= time)]
  }

  /**
   * The writes that may have taken effect in a window: those that began before `end`, and did not
   * certainly end before `start`. The last one first.
   */
  *possible(start: number, end: number): Generator<Write, void> {
    let at = countBelow(this.#writes, write => write.begin < end) - 1
    for (; at >= 0 && (this.#latestUpTo[at] as number) >= start; at--) {
      const write = this.#writes[at] as Write
      if (write.latest >= start) yield write
    }
  }
}

/** Writes of one instance that take effect in the order they were made, awaited or not. */
export class Program {
  readonly #writes: readonly Write[]
  readonly #firstFrom: (Write | undefined)[]
  readonly #lastUpTo: (Write | undefined)[]

  constructor(writes: readonly Write[]) {
    this.#writes = writes.toSorted((a, b) => a.call.n - b.call.n)
    this.#firstFrom = new Array(writes.length + 1)
    for (let at = writes.length - 1; at >= 0; at--) {
      const write = this.#writes[at] as Write
      const next = this.#firstFrom[at + 1]
      this.#firstFrom[at] = write.certain ? earlier(write, next) : next
    }
    let last: Write | undefined
    this.#lastUpTo = this.#writes.map(write => (last = write.certain ? write : last))
  }

  /** Of the certain writes that were made after the `n`th call, the one that took effect first. */
  firstAfter(n: number): Write | undefined {
    return this.#firstFrom[countBelow(this.#writes, write => write.call.n <= n)]
  }

  /** The last certain write that was made before the `n`th call. */
  lastBefore(n: number): Write | undefined {
    return this.#lastUpTo[countBelow(this.#writes, write => write.call.n < n) - 1]
  }
}

/** Of writes that had certainly taken effect before a time, the one that began last. */
export class Settled {
  readonly #writes: readonly Write[]
  readonly #youngestUpTo: Write[]

  constructor(writes: readonly Write[]) {
    this.#writes = writes.filter(write => write.certain).sort((a, b) => a.latest - b.latest)
    let youngest: Write | undefined
    this.#youngestUpTo = this.#writes.map(write => {
      youngest = youngest === undefined || write.begin > youngest.begin ? write : youngest
      return youngest
    })
  }

  before(time: number): Write | undefined {
    return this.#youngestUpTo[countBelow(this.#writes, write => write.latest < time) - 1]
  }
}

/** A map that makes what is missing. */
export class Grouped<K, V> extends Map<K, V> {
  readonly #make: () => V

  constructor(make: () => V) {
    super()
    this.#make = make
  }

  of(key: K): V {
    let value = this.get(key)
    if (value === undefined) {
      value = this.#make()
      this.set(key, value)
    }
    return value
  }
}
