import type { Adapter } from '@l2/core'
import { isL2Error } from '@l2/core'
import { clockFrom } from './clock.js'
import { idOf } from './history.js'
import { LogWriter, type Outcome } from './log.js'
import { KEYS, TAGS } from './names.js'
import { bytesOf, recognise } from './value.js'
import type { Abort, Work } from './work.js'

/** An adapter that can be closed. */
export type ClosableAdapter = Adapter & { close(): Promise<void> }

const ABORTED = new Error('aborted by the fuzzer')

/** Makes calls of one process and logs each before it is made and after it has settled. */
export class Caller {
  readonly #name: string
  readonly #log: LogWriter
  readonly #now: () => number
  readonly #open: () => ClosableAdapter
  #adapter: ClosableAdapter
  #instance = 0
  #calls = 0
  readonly #inFlight = new Set<Promise<Outcome>>()

  constructor(name: string, log: string, base: bigint, open: () => ClosableAdapter) {
    this.#name = name
    this.#log = new LogWriter(log)
    this.#now = clockFrom(base)
    this.#open = open
    this.#adapter = open()
  }

  get inFlight(): number {
    return this.#inFlight.size
  }

  /** Settles with the call, and never rejects. */
  make(work: Work, abort?: Abort): Promise<Outcome> {
    const n = this.#calls++
    const controller = abort === undefined ? undefined : new AbortController()
    if (abort === 'before') controller?.abort(ABORTED)
    const value = work.kind === 'set' ? bytesOf(work.key, this.#id(n), work.size) : undefined
    this.#log.begin(n, this.#now(), this.#instance, work)
    const answer = this.#call(work, value, controller?.signal)
    // It belongs to us again: whoever kept it rather than copied it shows.
    value?.fill(0)
    if (abort === 'at once') controller?.abort(ABORTED)
    else if (typeof abort === 'number') setTimeout(() => controller?.abort(ABORTED), abort).unref()
    const settled = answer.then(
      result => outcomeOf(work, result),
      error => failureOf(error, abort),
    )
    const logged = settled.then(outcome => {
      this.#log.end(n, this.#now(), outcome)
      this.#inFlight.delete(logged)
      return outcome
    })
    this.#inFlight.add(logged)
    return logged
  }

  async settle(): Promise<void> {
    await Promise.all(this.#inFlight)
  }

  /** Closes the adapter with its calls in flight, and goes on with another. */
  async reopen(): Promise<void> {
    await this.#closeAdapter()
    this.#adapter = this.#open()
    this.#instance++
  }

  async close(): Promise<void> {
    await this.settle()
    await this.#closeAdapter()
    this.#log.close()
  }

  async #closeAdapter(): Promise<void> {
    await this.#adapter.close()
    // What settled before close() did is logged first.
    await new Promise(resolve => setImmediate(resolve))
    this.#log.closed(this.#instance, this.#now())
  }

  #id(n: number): string {
    return idOf({ process: this.#name, n })
  }

  #call(
    work: Work,
    value: Uint8Array | undefined,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const adapter = this.#adapter
    switch (work.kind) {
      case 'get':
        return adapter.get(KEYS[work.key] as string, { signal })
      case 'set': {
        const tags = work.tags.map(tag => TAGS[tag] as string)
        const options = { ttl: work.ttl, tags, signal }
        return adapter.set(KEYS[work.key] as string, value as Uint8Array, options)
      }
      case 'delete':
        return adapter.delete(KEYS[work.key] as string, { signal })
      case 'deleteByTag':
        return adapter.deleteByTag(TAGS[work.tag] as string, { signal })
      case 'clear':
        return adapter.clear({ signal })
      case 'ping':
        return adapter.ping({ signal })
    }
  }
}

function outcomeOf(work: Work, answer: unknown): Outcome {
  if (work.kind !== 'get') return { is: 'done' }
  if (answer === undefined) return { is: 'miss' }
  if (!(answer instanceof Uint8Array)) return { is: 'torn', start: typeof answer }
  const seen = recognise(answer)
  // Ours now: no other read may give it.
  answer.fill(0)
  return seen
}

function failureOf(error: unknown, abort: Abort | undefined): Outcome {
  if (error === ABORTED) return { is: abort === 'before' ? 'refused' : 'aborted' }
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  return { is: 'failed', code: isL2Error(error) ? error.code : name, message }
}
