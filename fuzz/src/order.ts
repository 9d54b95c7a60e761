import { MS } from './clock.js'
import { type Allowances, type Call, type History, type Incident, idOf } from './history.js'
import { Grouped, Program, Settled, Timeline, type Write } from './timeline.js'
import type { Work } from './work.js'

type SetWork = Extract<Work, { kind: 'set' }>
/** A set. */
export interface SetWrite extends Write {
  readonly work: SetWork
  /** The reads that gave its value. */
  readonly readings: Call[]
}

/** Everything that happened to one key. */
export interface KeyHistory {
  /** Gets that were answered, in the order they began. */
  readonly reads: readonly Call[]
  readonly sets: Timeline
  readonly everySet: readonly SetWrite[]
  readonly deletes: Timeline
  /** Sets and deletes together. */
  readonly writes: Timeline
  readonly settledSets: Settled
  /** By instance. */
  readonly programs: ReadonlyMap<string, Program>
  readonly setPrograms: ReadonlyMap<string, Program>
}

/** What the logs say about order, in a shape in which it can be looked up. */
export interface Order {
  readonly keys: ReadonlyMap<number, KeyHistory>
  /** By the id in their values. */
  readonly sets: ReadonlyMap<string, SetWrite>
  /** By tag; that of `clear` is `CLEAR`. */
  readonly bulks: ReadonlyMap<number, Timeline>
  /** By instance and tag. */
  readonly bulkPrograms: ReadonlyMap<string, Program>
  /** By which any entry may have gone. */
  readonly losses: readonly Incident[]
}

/** Stands for the tag that every entry carries: `clear` removes it. */
export const CLEAR = -1

export const programOf = (instance: string, tag: number): string => `${instance} ${tag}`

interface Collected {
  readonly reads: Call[]
  readonly sets: SetWrite[]
  readonly deletes: Write[]
}

export function orderOf(history: History, allowances: Allowances): Order {
  const collected = new Grouped<number, Collected>(() => ({ reads: [], sets: [], deletes: [] }))
  const bulks = new Grouped<number, Write[]>(() => [])
  const sets = new Map<string, SetWrite>()
  for (const call of history.calls) {
    const { work } = call
    if (work.kind === 'get') {
      if (isAnswer(call)) collected.of(work.key).reads.push(call)
    } else if (work.kind === 'set') {
      const write = { ...writeOf(call, history, allowances), work, readings: [] }
      sets.set(idOf(call), write)
      // One that was refused changes nothing; who reads its value is told by `sets`.
      if (call.outcome?.is !== 'refused') collected.of(work.key).sets.push(write)
    } else if (call.outcome?.is !== 'refused' && work.kind !== 'ping') {
      const write = writeOf(call, history, allowances)
      if (work.kind === 'delete') collected.of(work.key).deletes.push(write)
      else bulks.of(work.kind === 'deleteByTag' ? work.tag : CLEAR).push(write)
    }
  }
  for (const { reads } of collected.values()) noteWhatWasSeen(reads, sets)
  const bulkPrograms = programsOf(bulks)
  const barriers = barriersOf(bulks)
  const keys = new Map<number, KeyHistory>()
  for (const [key, each] of collected) keys.set(key, keyHistoryOf(each, barriers))
  const losses = history.incidents.filter(({ loses }) => loses)
  return { keys, sets, bulks: timelinesOf(bulks), bulkPrograms, losses }
}

const isAnswer = ({ outcome }: Call): boolean =>
  outcome?.is === 'whole' ||
  outcome?.is === 'empty' ||
  outcome?.is === 'miss' ||
  outcome?.is === 'torn'

function writeOf(call: Call, history: History, allowances: Allowances): Write {
  const certain = call.outcome?.is === 'done'
  const latest = certain ? call.end : lastChanceOf(call, history, allowances)
  return { call, begin: call.begin, latest, certain }
}

/** Until when a call may take effect whose caller was not told that it did. */
function lastChanceOf(
  call: Call,
  { gone }: History,
  { lingering = 0, givenUp = Infinity }: Allowances,
): number {
  return Math.min(
    call.end + givenUp * MS,
    (gone.get(call.instance) ?? Infinity) + lingering * MS,
    (gone.get(call.process) ?? Infinity) + lingering * MS,
  )
}

/** A value that was read had been written by the end of that read, whatever its writer was told. */
function noteWhatWasSeen(reads: readonly Call[], sets: ReadonlyMap<string, SetWrite>): void {
  for (const read of reads) {
    const { outcome, work } = read
    const set = outcome?.is === 'whole' ? sets.get(outcome.id) : undefined
    if (set === undefined || work.kind !== 'get' || set.work.key !== work.key) continue
    set.readings.push(read)
    set.certain = true
    set.latest = Math.min(set.latest, read.end)
  }
}

/** Bulk calls of one instance: they come after all that it called before. */
function barriersOf(bulks: Grouped<number, Write[]>): ReadonlyMap<string, Program> {
  const barriers = new Grouped<string, Write[]>(() => [])
  for (const writes of bulks.values())
    for (const write of writes) barriers.of(write.call.instance).push(write)
  return new Map([...barriers].map(([instance, writes]) => [instance, new Program(writes)]))
}

function programsOf(bulks: Grouped<number, Write[]>): ReadonlyMap<string, Program> {
  const programs = new Grouped<string, Write[]>(() => [])
  for (const [tag, writes] of bulks)
    for (const write of writes) programs.of(programOf(write.call.instance, tag)).push(write)
  return new Map([...programs].map(([name, writes]) => [name, new Program(writes)]))
}

function timelinesOf(bulks: Grouped<number, Write[]>): ReadonlyMap<number, Timeline> {
  return new Map([...bulks].map(([tag, writes]) => [tag, new Timeline(writes)]))
}

function keyHistoryOf(
  { reads, sets, deletes }: Collected,
  barriers: ReadonlyMap<string, Program>,
): KeyHistory {
  const byInstance = new Grouped<string, Write[]>(() => [])
  for (const write of [...sets, ...deletes]) byInstance.of(write.call.instance).push(write)
  for (const [instance, writes] of byInstance) boundByOrder(writes, barriers.get(instance))
  const setsByInstance = new Grouped<string, Write[]>(() => [])
  for (const write of sets) setsByInstance.of(write.call.instance).push(write)
  return {
    reads: reads.sort((a, b) => a.begin - b.begin),
    sets: new Timeline(sets),
    everySet: sets,
    deletes: new Timeline(deletes),
    writes: new Timeline([...sets, ...deletes]),
    settledSets: new Settled(sets),
    programs: new Map([...byInstance].map(([name, writes]) => [name, new Program(writes)])),
    setPrograms: new Map([...setsByInstance].map(([name, writes]) => [name, new Program(writes)])),
  }
}

/**
 * A write takes effect before the next one of its instance and key: one whose caller was not told,
 * no later than one that was acknowledged after it.
 */
function boundByOrder(writes: Write[], barriers: Program | undefined): void {
  let bound = Infinity
  for (const write of writes.sort((a, b) => b.call.n - a.call.n)) {
    write.latest = Math.min(write.latest, bound)
    if (!write.certain)
      write.latest = Math.min(write.latest, barriers?.firstAfter(write.call.n)?.latest ?? Infinity)
    else bound = Math.min(bound, write.latest)
  }
}
