import { MS } from '../../src/clock.js'
import { type Call, type History, type Incident, idOf } from '../../src/history.js'
import type { Outcome } from '../../src/log.js'
import type { Work } from '../../src/work.js'

/** What a set may say beside when it was. Times to live in ms. */
interface SetDetails {
  readonly key?: number
  readonly tags?: readonly number[]
  readonly ttl?: number
  readonly size?: number
}

/** A set, by what its value says. */
type Written = Pick<Call, 'process' | 'n'>

/** When a call began and ended, in ms. Without an end it was never answered. */
type Times = readonly [begin: number, end?: number]

/** Writes a history down, call by call. All are on key 0 where nothing else is said. */
export class Script {
  readonly calls: Call[] = []
  readonly gone = new Map<string, number>()
  readonly incidents: Incident[] = []
  readonly #counts = new Map<string, number>()

  set(process: string, times: Times, details: SetDetails = {}, outcome?: Outcome): Call {
    const { key = 0, tags = [], ttl = 0, size = 100 } = details
    return this.call(process, times, { kind: 'set', key, size, ttl, tags }, outcome)
  }

  /** @param seen the set whose value it gave, or what else it saw. */
  get(process: string, times: Times, seen: Written | Outcome['is'], key = 0): Call {
    const outcome = typeof seen === 'string' ? { is: seen } : { is: 'whole', key, id: idOf(seen) }
    return this.call(process, times, { kind: 'get', key }, outcome as Outcome)
  }

  delete(process: string, times: Times, outcome?: Outcome): Call {
    return this.call(process, times, { kind: 'delete', key: 0 }, outcome)
  }

  deleteByTag(process: string, times: Times, tag: number, outcome?: Outcome): Call {
    return this.call(process, times, { kind: 'deleteByTag', tag }, outcome)
  }

  clear(process: string, times: Times): Call {
    return this.call(process, times, { kind: 'clear' })
  }

  call(process: string, [begin, end]: Times, work: Work, outcome: Outcome = { is: 'done' }): Call {
    const n = this.#counts.get(process) ?? 0
    this.#counts.set(process, n + 1)
    const call: Call = {
      work,
      process,
      instance: `${process}/0`,
      n,
      begin: begin * MS,
      ...(end === undefined ? { end: Infinity } : { end: end * MS, outcome }),
    }
    this.calls.push(call)
    return call
  }

  /** The process was killed, and gone at `time` ms. */
  killed(process: string, time: number): void {
    this.gone.set(process, time * MS)
  }

  history(): History {
    return { calls: this.calls, gone: this.gone, incidents: this.incidents }
  }
}
