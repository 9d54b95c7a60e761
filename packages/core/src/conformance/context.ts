import { randomBytes } from 'node:crypto'
import { type Random, seededRandom } from './random.js'
import type { ClosableAdapter, Subject } from './types.js'

/** What one run of one case has at hand: fresh namespaces, and handles that are closed afterwards. */
export class Context {
  readonly #subject: Subject
  // Fresh each run: cases never see each other's data, nor an earlier run's.
  readonly #base = `kit:${randomBytes(6).toString('hex')}:`
  readonly #opened: ClosableAdapter[] = []
  readonly seed: number
  readonly random: Random

  constructor(subject: Subject) {
    this.#subject = subject
    this.seed = subject.seed ?? randomBytes(4).readUInt32LE()
    this.random = seededRandom(this.seed)
  }

  /** Another handle. The same `name` shares data with it, another name does not. */
  async open(name = ''): Promise<ClosableAdapter> {
    const adapter = await this.#subject.open(this.#base + name)
    this.#opened.push(adapter)
    return adapter
  }

  /** Removes what the case stored and closes its handles. */
  async end(): Promise<void> {
    for (const adapter of this.#opened) {
      // A case may have closed it, or broken its connection.
      await adapter.clear().catch(() => {})
      await adapter.close().catch(() => {})
    }
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
