import { MS } from '../../src/clock.js'
import { type Call, type History, idOf } from '../../src/history.js'
import { derivedSeed, type Random, randomFrom } from '../../src/random.js'
import { nextStep, type Work } from '../../src/work.js'

/** One thing that happens to the store at one time. */
interface Effect {
  readonly at: number
  readonly call: Mutable<Call>
  readonly apply: (store: Map<number, Entry>) => void
}

interface Entry {
  readonly id: string
  readonly size: number
  readonly tags: readonly number[]
  /** Whole ms. */
  readonly expiry: number
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** A bulk call removes in as many slices, at different times. */
const SLICES = 3

/** How long a call takes at most before and after its effect, in ns. */
const LATENCY = MS / 5

/**
 * The history of workers whose calls take effect as the contract says, in a simulated time: a
 * checker that finds anything in it is wrong.
 */
export function simulatedHistory(seed: number, workers: number, callsOfEach: number): History {
  const effects: Effect[] = []
  const calls: Call[] = []
  const gone = new Map<string, number>()
  for (let at = 0; at < workers; at++) {
    let time = 0
    for (let incarnation = 0, made = 0; made < callsOfEach; incarnation++) {
      const random = randomFrom(derivedSeed(seed, at, incarnation))
      const life = Math.min(callsOfEach - made, 1 + random(400))
      const worker = new SimulatedWorker(`0.${at}.${incarnation}`, random, time)
      while (worker.calls.length < life) worker.step()
      const mine = worker.end()
      for (const call of mine.calls) calls.push(call)
      for (const effect of mine.effects) effects.push(effect)
      gone.set(worker.name, mine.gone)
      time = mine.gone
      made += worker.calls.length
    }
  }
  const store = new Map<number, Entry>()
  effects.sort((a, b) => a.at - b.at)
  for (const effect of effects) effect.apply(store)
  return { calls, gone, incidents: [] }
}

class SimulatedWorker {
  readonly name: string
  readonly calls: Mutable<Call>[] = []
  readonly #effects: Effect[] = []
  readonly #random: Random
  #now: number
  /** When the youngest call on one key took effect. */
  #latestEffect = 0

  constructor(name: string, random: Random, start: number) {
    this.name = name
    this.#random = random
    this.#now = start
  }

  step(): void {
    const { works, awaited, abort, rest = 0 } = nextStep(this.#random)
    const calls = works.map((work, at) => {
      const call = this.#call(work)
      if (at === abort?.at) this.#giveUp(call)
      return call
    })
    if (awaited) this.#now = Math.max(this.#now, ...calls.map(call => call.end))
    this.#now += rest * MS
  }

  /** Kills it in the middle: what had not taken effect never does, and answers are lost. */
  end(): { readonly calls: Call[]; readonly effects: Effect[]; readonly gone: number } {
    const gone = Math.max(...this.calls.map(call => call.begin)) + 1 + this.#random(LATENCY)
    for (const call of this.calls)
      if (call.end > gone) {
        call.end = Infinity
        delete call.outcome
      }
    return { calls: this.calls, effects: this.#effects.filter(({ at }) => at <= gone), gone }
  }

  #call(work: Work): Mutable<Call> {
    const n = this.calls.length
    const begin = ++this.#now
    const call: Mutable<Call> = {
      work,
      process: this.name,
      instance: `${this.name}/0`,
      n,
      begin,
      end: 0,
      outcome: { is: 'done' },
    }
    const isBulk = work.kind === 'clear' || work.kind === 'deleteByTag'
    // Later calls need not wait for a bulk call, which itself comes after those before it.
    let at = Math.max(begin, this.#latestEffect) + 1 + this.#random(LATENCY)
    if (!isBulk) this.#latestEffect = at
    for (let slice = 0; slice < (isBulk ? SLICES : 1); slice++) {
      this.#effects.push({ at, call, apply: store => apply(store, call, at, slice) })
      at += isBulk ? this.#random(LATENCY) : 0
    }
    call.end = at + 1 + this.#random(LATENCY)
    this.calls.push(call)
    return call
  }

  /** It may take effect all the same. */
  #giveUp(call: Mutable<Call>): void {
    call.end = call.begin + 1 + this.#random(LATENCY)
    call.outcome = { is: 'aborted' }
  }
}

function apply(store: Map<number, Entry>, call: Mutable<Call>, at: number, slice: number): void {
  const { work } = call
  const now = Math.floor(at / MS)
  if (work.kind === 'get') {
    if (call.outcome?.is === 'done') call.outcome = seen(store.get(work.key), now, work.key)
  } else if (work.kind === 'set') {
    const { size, tags, ttl } = work
    const expiry = ttl === 0 ? Infinity : now + ttl
    store.set(work.key, { id: idOf(call), size, tags, expiry })
  } else if (work.kind === 'delete') store.delete(work.key)
  else if (work.kind === 'clear' || work.kind === 'deleteByTag')
    for (const [key, { tags }] of store)
      if (key % SLICES === slice && (work.kind !== 'deleteByTag' || tags.includes(work.tag)))
        store.delete(key)
}

function seen(entry: Entry | undefined, now: number, key: number): NonNullable<Call['outcome']> {
  if (entry === undefined || entry.expiry <= now) return { is: 'miss' }
  return entry.size === 0 ? { is: 'empty' } : { is: 'whole', key, id: entry.id }
}
