import { randomBytes } from 'node:crypto'
import { type Random, seededRandom } from './random.js'
import type { ClosableAdapter, Hook, Subject } from './types.js'

/** What a case that repeats itself takes at most, in ms, whatever a round trip takes. */
const ROUNDS_TIME = 15_000
const FEWEST_ROUNDS = 3

const METHODS = [
  'get',
  'set',
  'delete',
  'deleteByTag',
  'clear',
  'ping',
  'close',
] as const satisfies (keyof ClosableAdapter)[]

/** What one run of one case has at hand: fresh namespaces, handles that are closed afterwards, hooks. */
export class Context {
  readonly #subject: Subject
  // Fresh each run: cases never see each other's data, nor an earlier run's.
  readonly #base = `kit:${randomBytes(6).toString('hex')}:`
  readonly #names = new Set<string>()
  readonly #opened: ClosableAdapter[] = []
  #broken = false
  readonly seed: number
  readonly random: Random
  /** A call that has to settle by its adapter's deadline has settled by then, ms: twice the deadline. */
  readonly patience: number

  constructor(subject: Subject) {
    this.#subject = subject
    this.seed = subject.seed ?? randomBytes(4).readUInt32LE()
    this.random = seededRandom(this.seed)
    // And time for a busy machine.
    this.patience = 2 * (subject.timeout ?? 5_000) + 1_000
  }

  /** Another handle. The same `name` shares data with it, another name does not. */
  async open(name = ''): Promise<ClosableAdapter> {
    return this.#opening(name, this.#subject.open(this.#base + name))
  }

  /** A handle like those of {@link open}, in another process. */
  async openElsewhere(name = ''): Promise<ClosableAdapter> {
    return this.#opening(name, this.#hook('openElsewhere')(this.#base + name))
  }

  /** A handle with an empty prefix. */
  async openUnprefixed(): Promise<ClosableAdapter> {
    const adapter = await this.#hook('openUnprefixed')()
    this.#opened.push(adapter)
    return adapter
  }

  /** Counts up to `most`, and stops early on a backend so slow that the case would take too long. */
  *rounds(most: number): Generator<number, void> {
    const end = performance.now() + ROUNDS_TIME
    for (let i = 0; i < most && (i < FEWEST_ROUNDS || performance.now() < end); i++) yield i
  }

  async residue(): Promise<number> {
    const count: unknown = await this.#hook('residue')(this.#base)
    if (typeof count !== 'number') throw new TypeError(`residue() must give a number, not ${count}`)
    return count
  }

  async sweep(): Promise<void> {
    await this.#hook('sweep')(this.#base)
  }

  /** Breaks the backend until {@link restore}, or the end of the case. */
  async break(how: 'cut' | 'stall'): Promise<void> {
    this.#broken = true
    await this.#hook(how)(this.#base)
  }

  async restore(): Promise<void> {
    this.#broken = false
    await this.#hook('restore')(this.#base)
  }

  async crash(key: string): Promise<void> {
    await this.#hook('crash')(this.#base, key)
  }

  /** Removes what the case stored and closes its handles. */
  async end(): Promise<void> {
    if (this.#broken) await this.restore()
    await Promise.all(this.#opened.map(adapter => adapter.close().catch(() => {})))
    for (const name of this.#names) {
      // A handle of its own: the case may have closed or broken the others.
      const adapter = await this.#subject.open(this.#base + name)
      await adapter.clear().catch(() => {})
      await adapter.close().catch(() => {})
    }
  }

  async #opening(name: string, opening: ReturnType<Subject['open']>): Promise<ClosableAdapter> {
    this.#names.add(name)
    const adapter = await opening
    const missing = METHODS.filter(method => typeof adapter?.[method] !== 'function')
    if (missing.length > 0) {
      const what = missing.map(String).join(', ')
      throw new TypeError(`open() must give an adapter: what it gave has no ${what}`)
    }
    this.#opened.push(adapter)
    return adapter
  }

  #hook<H extends Hook>(name: H): NonNullable<Subject[H]> {
    const hook = this.#subject[name]
    if (hook === undefined) throw new Error(`the subject offers no ${name}`)
    return hook.bind(this.#subject) as NonNullable<Subject[H]>
  }
}

/** Bytes to tell values apart by. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Resolves once `ms` have passed by this machine's monotonic clock, never earlier. */
export async function elapse(ms: number): Promise<void> {
  const end = performance.now() + ms
  for (let left = ms; left > 0; left = end - performance.now()) {
    await new Promise(resolve => setTimeout(resolve, left))
  }
}
