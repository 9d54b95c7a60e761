import type { Adapter } from '../adapter.js'
import { ConformanceError } from './check.js'
import { bytes } from './context.js'

interface Write {
  readonly kind: 'set' | 'delete' | 'deleteByTag' | 'clear'
  /** Key or tag; of no meaning for `clear`. */
  readonly name: string
  /** Of a set: unique, so that a read tells which set it saw. */
  readonly value: string
  readonly tags: readonly string[]
  readonly began: number
  ended: number
}

interface Read {
  readonly key: string
  readonly began: number
  readonly seen: string | undefined
}

/**
 * Records what several clients did at once, with the order in which calls began and resolved, and
 * finds reads that no order of the contract allows.
 *
 * A read may return a set's value unless, after that set had resolved, something began that removes
 * or replaces it and resolved before the read began.
 */
export class History {
  #step = 0
  readonly #writes: Write[] = []
  readonly #reads: Read[] = []

  async set(adapter: Adapter, key: string, tags: readonly string[]): Promise<void> {
    const value = `${key} #${this.#step}`
    await this.#write('set', key, value, tags, () => adapter.set(key, bytes(value), { tags }))
  }

  delete(adapter: Adapter, key: string): Promise<void> {
    return this.#write('delete', key, '', [], () => adapter.delete(key))
  }

  deleteByTag(adapter: Adapter, tag: string): Promise<void> {
    return this.#write('deleteByTag', tag, '', [], () => adapter.deleteByTag(tag))
  }

  clear(adapter: Adapter): Promise<void> {
    return this.#write('clear', '', '', [], () => adapter.clear())
  }

  async get(adapter: Adapter, key: string): Promise<void> {
    const began = this.#step++
    const seen = await adapter.get(key)
    this.#reads.push({ key, began, seen: seen && Buffer.from(seen).toString() })
  }

  /** The tags that the set of `value` gave it. */
  tagsOf(value: Uint8Array): readonly string[] | undefined {
    return this.#writes.find(write => write.value === Buffer.from(value).toString())?.tags
  }

  /** @throws ConformanceError where a read saw what it must not see. */
  check(): void {
    const sets = new Map(
      this.#writes.filter(({ kind }) => kind === 'set').map(set => [set.value, set]),
    )
    for (const read of this.#reads) {
      if (read.seen === undefined) continue
      const set = sets.get(read.seen)
      if (set === undefined || set.name !== read.key) {
        throw new ConformanceError(
          `concurrent calls, get('${read.key}')`,
          'a value set for that key',
          read.seen,
        )
      }
      const undone = this.#writes.find(
        later => later.began > set.ended && later.ended < read.began && undoes(later, set),
      )
      if (undone !== undefined) {
        throw new ConformanceError(
          `set('${set.name}') with tags [${set.tags}] at ${set.began} to ${set.ended}, ` +
            `${undone.kind}(${undone.name}) at ${undone.began} to ${undone.ended}, get at ${read.began}`,
          'not the value of that set',
          read.seen,
        )
      }
    }
  }

  async #write(
    kind: Write['kind'],
    name: string,
    value: string,
    tags: readonly string[],
    run: () => Promise<void>,
  ): Promise<void> {
    const write = { kind, name, value, tags, began: this.#step++, ended: Number.POSITIVE_INFINITY }
    this.#writes.push(write)
    await run()
    write.ended = this.#step++
  }
}

function undoes(later: Write, set: Write): boolean {
  if (later.kind === 'clear') return true
  if (later.kind === 'deleteByTag') return set.tags.includes(later.name)
  return later.name === set.name
}
