import { MS } from './clock.js'
import type { Call, Finding } from './history.js'
import { CLEAR, type KeyHistory, type Order, programOf, type SetWrite } from './order.js'
import type { Write } from './timeline.js'

/**
 * Clocks of a backend count whole ms, and a wall clock is steered: an expiry may seem to be off by
 * this much, in ns.
 */
export const CLOCK_SLACK = 2 * MS

/** Whether `one` and `other` are of one instance, which made them in this order. */
export const madeBefore = (one: Call, other: Call): boolean =>
  one.instance === other.instance && one.n < other.n

/** Looks at all values that were read from one key. */
export function* checkHits(key: number, history: KeyHistory, order: Order): Generator<Finding> {
  for (const read of history.reads) {
    const { outcome } = read
    if (outcome?.is === 'torn') {
      yield { rule: 'torn', message: 'a read gave bytes that nobody wrote', calls: [read] }
    } else if (outcome?.is === 'whole') {
      const set = order.sets.get(outcome.id)
      if (set === undefined || set.work.key !== key || outcome.key !== key)
        yield {
          rule: 'torn',
          message: 'a read gave what nobody wrote under its key',
          calls: set === undefined ? [read] : [set.call, read],
        }
      else yield* wrongValue(set, read, history, order)
    } else if (outcome?.is === 'empty') yield* wrongEmptiness(read, history, order)
  }
  for (const set of history.everySet) yield* comingBack(set, history)
}

function* wrongValue(
  set: SetWrite,
  read: Call,
  history: KeyHistory,
  order: Order,
): Generator<Finding> {
  const say = (rule: Finding['rule'], message: string, ...between: Call[]): Finding => ({
    rule,
    message,
    calls: [set.call, ...between, read],
  })
  if (set.call.outcome?.is === 'refused')
    yield say('order', 'a read gave the value of a set that was refused')
  else if (set.begin > read.end) yield say('torn', 'a read gave a value before its set began')
  else if (madeBefore(read, set.call))
    yield say('order', 'a read gave the value of a set that its instance made later')
  else {
    const killer = killerOf(set, read, history, order)
    if (killer !== undefined) {
      const { call } = killer
      const atOnce = killer.begin <= set.latest || read.begin <= killer.latest
      yield atOnce
        ? say('order', `a read gave a value from before a ${call.work.kind} made earlier`, call)
        : say('stale', `a read gave a value after an acknowledged ${call.work.kind}`, call)
    } else if (isExpired(set, read)) yield say('expired', 'a read gave a value whose ttl was over')
  }
}

/** Zero bytes say nothing of their origin: some set of zero bytes must be able to explain them. */
function* wrongEmptiness(read: Call, history: KeyHistory, order: Order): Generator<Finding> {
  let candidate: SetWrite | undefined
  for (const write of history.sets.possible(Number.NEGATIVE_INFINITY, read.end)) {
    const set = write as SetWrite
    if (set.work.size > 0 || madeBefore(read, set.call)) continue
    if (killerOf(set, read, history, order) === undefined && !isExpired(set, read)) return
    candidate ??= set
  }
  yield {
    rule: candidate === undefined ? 'torn' : 'stale',
    message: 'a read gave zero bytes, and no set of zero bytes can have been the latest',
    calls: candidate === undefined ? [read] : [candidate.call, read],
  }
}

/** What certainly removed or replaced the set's entry before the read. */
function killerOf(set: SetWrite, read: Call, history: KeyHistory, order: Order): Write | undefined {
  const { latest, call, work } = set
  const inTime = (write: Write | undefined) =>
    write !== undefined && write.latest < read.begin ? write : undefined
  let killer =
    inTime(history.writes.firstAfter(latest)) ??
    inTime(history.programs.get(call.instance)?.firstAfter(call.n))
  for (const tag of [CLEAR, ...work.tags]) {
    killer ??=
      inTime(order.bulks.get(tag)?.firstAfter(latest)) ??
      inTime(order.bulkPrograms.get(programOf(call.instance, tag))?.firstAfter(call.n))
  }
  if (killer !== undefined) return killer
  const own = history.programs.get(read.instance)?.lastBefore(read.n)
  if (own === undefined || own === set) return undefined
  return own.begin > latest || madeBefore(call, own.call) ? own : undefined
}

function isExpired(set: SetWrite, read: Call): boolean {
  return set.work.ttl > 0 && read.begin > set.latest + set.work.ttl * MS + CLOCK_SLACK
}

/** A value that a read found gone was read again later. */
function* comingBack(set: SetWrite, { reads }: KeyHistory): Generator<Finding> {
  const last = set.readings.reduce<Call | undefined>(
    (last, read) => (last === undefined || read.begin > last.begin ? read : last),
    undefined,
  )
  if (last === undefined || set.call.outcome?.is === 'refused') return
  const readings = new Set(set.readings)
  for (let at = firstAfter(reads, set.latest); at < reads.length; at++) {
    const read = reads[at] as Call
    if (read.begin >= last.begin) return
    if (read.end >= last.begin || readings.has(read)) continue
    yield {
      rule: 'ghost',
      message: 'a value came back that an earlier read had found gone',
      calls: [set.call, read, last],
    }
    return
  }
}

function firstAfter(calls: readonly Call[], time: number): number {
  let low = 0
  let high = calls.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((calls[middle] as Call).begin <= time) low = middle + 1
    else high = middle
  }
  return low
}
