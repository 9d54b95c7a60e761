import { readFile, rename, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Product {
  readonly id: number
  readonly name: string
  readonly price: number
  /** Other products that go with it. */
  readonly accessories: readonly number[]
}

const FILE = 'products.json'

const FIRST: readonly Product[] = [
  { id: 1, name: 'Bicycle', price: 900, accessories: [2, 3] },
  { id: 2, name: 'Helmet', price: 60, accessories: [] },
  { id: 3, name: 'Lock', price: 40, accessories: [] },
]

/** Stands for your database: all processes share it, it is slow, and down when it is told to be. */
export class Origin {
  isDown = false
  readonly #delayMs: number

  constructor(delayMs: number) {
    this.#delayMs = delayMs
  }

  /** Those of `ids` that there are. */
  async find(ids: readonly number[], signal: AbortSignal): Promise<Product[]> {
    await sleep(this.#delayMs, undefined, { signal })
    if (this.isDown) throw new Error('the origin is down')
    return (await readAll()).filter(({ id }) => ids.includes(id))
  }

  /** @returns the changed product, or `undefined` where there is none. */
  async change(id: number, changes: Partial<Product>): Promise<Product | undefined> {
    await sleep(this.#delayMs)
    if (this.isDown) throw new Error('the origin is down')
    const products = await readAll()
    const before = products.find(product => product.id === id)
    if (before === undefined) return undefined
    const after = { ...before, ...changes, id }
    await writeAll(products.map(product => (product === before ? after : product)))
    return after
  }
}

async function readAll(): Promise<readonly Product[]> {
  try {
    return JSON.parse(await readFile(FILE, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return FIRST
    throw error
  }
}

/** By way of another file, so that nobody reads half of it. */
async function writeAll(products: readonly Product[]): Promise<void> {
  const draft = `${FILE}.${process.pid}`
  await writeFile(draft, JSON.stringify(products))
  await rename(draft, FILE)
}
