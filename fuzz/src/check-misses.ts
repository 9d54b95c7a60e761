import { CLOCK_SLACK, madeBefore } from './check-hits.js'
import { MS } from './clock.js'
import type { Call, Finding } from './history.js'
import { CLEAR, type KeyHistory, type Order, type SetWrite } from './order.js'
import type { Write } from './timeline.js'

/** How many of the calls around a loss are shown. */
const SHOWN = 8

/** Looks at all misses of one key: an entry must have been removed, or never been there. */
export function* checkMisses(history: KeyHistory, order: Order): Generator<Finding> {
  for (const read of history.reads) {
    if (read.outcome?.is !== 'miss') continue
    const miss = new Miss(read, history, order)
    if (miss.isExplained()) continue
    yield {
      rule: 'lost',
      message: 'a read missed an entry that nothing had removed',
      calls: miss.evidence(),
    }
  }
}

class Miss {
  readonly #read: Call
  readonly #history: KeyHistory
  readonly #order: Order
  /** The set that certainly came before the read, and began last. */
  readonly #set: Write | undefined
  /** The last set that this instance made before the read, if it took effect. */
  readonly #own: Write | undefined
  /** What had certainly taken effect by then is not the reason: a set came after it. */
  readonly #start: number

  constructor(read: Call, history: KeyHistory, order: Order) {
    this.#read = read
    this.#history = history
    this.#order = order
    const settled = history.settledSets.before(read.begin)
    this.#own = history.setPrograms.get(read.instance)?.lastBefore(read.n)
    this.#set =
      this.#own === undefined || (settled !== undefined && settled.begin > this.#own.begin)
        ? settled
        : this.#own
    this.#start = this.#set?.begin ?? Number.NEGATIVE_INFINITY
  }

  isExplained(): boolean {
    if (this.#set === undefined) return true
    for (const removal of this.#possible(this.#history.deletes))
      if (!this.#isOverwritten(removal)) return true
    for (const _ of this.#possible(this.#order.bulks.get(CLEAR))) return true
    for (const write of this.#possible(this.#history.sets)) {
      const set = write as SetWrite
      if (!this.#isOverwritten(set) && this.#maySetBeGone(set)) return true
    }
    return this.#order.losses.some(({ begin, end }) => begin < this.#read.end && end >= this.#start)
  }

  evidence(): Call[] {
    const around: Call[] = []
    const lists = [this.#history.writes, ...this.#order.bulks.values()]
    for (const list of lists)
      for (const { call } of list?.possible(this.#start, this.#read.end) ?? []) {
        if (around.length < SHOWN && call !== this.#set?.call) around.push(call)
      }
    around.sort((a, b) => a.begin - b.begin)
    return [...(this.#set === undefined ? [] : [this.#set.call]), ...around, this.#read]
  }

  /** What may have taken effect since that set, as far as time tells. */
  *#possible(
    writes: { possible(start: number, end: number): Iterable<Write> } | undefined,
    start = this.#start,
  ): Generator<Write, void> {
    for (const write of writes?.possible(start, this.#read.end) ?? [])
      if (!madeBefore(this.#read, write.call)) yield write
  }

  /** Whether its own instance certainly set the key between it and the read. */
  #isOverwritten({ call }: Write): boolean {
    if (this.#own !== undefined && madeBefore(call, this.#own.call)) return true
    const next = this.#history.setPrograms.get(call.instance)?.firstAfter(call.n)
    return next !== undefined && next.latest < this.#read.begin
  }

  #maySetBeGone(set: SetWrite): boolean {
    const { ttl, tags } = set.work
    if (ttl > 0 && set.begin + ttl * MS <= this.#read.end + CLOCK_SLACK) return true
    const start = Math.max(this.#start, set.begin)
    for (const tag of tags)
      for (const _ of this.#possible(this.#order.bulks.get(tag), start)) return true
    return false
  }
}
