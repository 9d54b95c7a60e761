/** Entries per kind of work: several times what SQLite's page cache (2 MiB) holds. */
export const COUNT = 10_000

/** Bytes per value. */
const SIZE = 1_024

/** Keys of one kind of work, as an application would name them, and which of them are stored. */
export class Keys {
  readonly all: readonly string[]
  readonly #missing: Set<string>

  constructor(kind: string, count: number) {
    this.all = Array.from({ length: count }, (_, i) => `${kind}:${100_000 + i}`)
    this.#missing = new Set(this.all)
  }

  /** Calls `store` for each key that isn't stored. */
  async fill(store: (key: string) => Promise<unknown>): Promise<void> {
    await eachOf(this.#missing, store)
    this.#missing.clear()
  }

  removed(key: string): void {
    this.#missing.add(key)
  }
}

/** Calls `work` for each item, 50 at a time. */
export async function eachOf<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const rest = [...items].values()
  const loop = async (): Promise<void> => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: 50 }, loop))
}

/** Three tags for each key: one of 10, one of 100 and one of 1 000 there are. */
export function tagsOf(key: string): string[] {
  const number = Number(key.slice(key.indexOf(':') + 1))
  return [`tenant:${number % 10}`, `category:${number % 100}`, `product:${number % 1_000}`]
}

/** Room for entries of their own that some caches keep for tags: there are 1 110 of {@link tagsOf}. */
export const FOR_TAGS = 2_000

/** Different values, so that no cache profits from seeing one again. They don't compress. */
export function someValues(): Uint8Array[] {
  const random = randomBelow(256)
  return Array.from({ length: 64 }, () => new Uint8Array(SIZE).map(random))
}

/** Uniform integers under `limit`, the same in each process (Lehmer: MINSTD, doi 10.1145/63039.63042). */
export function randomBelow(limit: number): () => number {
  let state = 42
  return () => {
    state = (state * 48_271) % 0x7fff_ffff
    return state % limit
  }
}

/** In random order, the same in each process. */
export function shuffled<T>(items: readonly T[]): T[] {
  const result = [...items]
  const random = randomBelow(0x7fff_ffff)
  for (let i = result.length - 1; i > 0; i--) {
    const other = random() % (i + 1)
    ;[result[i], result[other]] = [result[other] as T, result[i] as T]
  }
  return result
}

/** One after the other, and again from the first. */
export function cycle<T>(items: readonly T[]): () => T {
  let at = 0
  return () => items[at++ % items.length] as T
}

/** Drawn beforehand: the draw is no part of what is measured. */
export function atRandom<T>(items: readonly T[]): T[] {
  const random = randomBelow(items.length)
  return Array.from({ length: 65_536 }, () => items[random()] as T)
}
