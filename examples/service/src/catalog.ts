import type { Cache } from '@l2/cache'
import type { Origin, Product } from './origin.js'

/** A product, and those that go with it. */
export interface Page extends Omit<Product, 'accessories'> {
  readonly accessories: readonly Product[]
}

const keyOf = (id: number) => `product:${id}`
const idOf = (key: string) => Number(key.slice('product:'.length))

/** The origin with the cache in front of it: the one place that knows keys and tags. */
export class Catalog {
  readonly #cache: Cache
  readonly #origin: Origin

  constructor(cache: Cache, origin: Origin) {
    this.#cache = cache
    this.#origin = origin
  }

  /**
   * One entry for a page that is made of several products. It carries the tags of all of them.
   *
   * @param signal of the request: when all who wait for this page have gone, the origin is told.
   * @returns `null` where there is no such product. That is cached too, which `undefined` is not.
   */
  page(id: number, signal: AbortSignal): Promise<Page | null> {
    return this.#cache.getOrSet(
      `page:${id}`,
      async context => {
        const [product] = await this.#origin.find([id], context.signal)
        if (product === undefined) return null
        // Only now is it known what the page depends on.
        context.tags = [id, ...product.accessories].map(keyOf)
        const accessories = await this.#origin.find(product.accessories, context.signal)
        return { ...product, accessories }
      },
      { tags: [keyOf(id)], signal },
    )
  }

  /** An entry for each product; those that are missing are asked for in one query. */
  async products(ids: readonly number[], signal: AbortSignal): Promise<Product[]> {
    const found = await this.#cache.getOrSetMany(
      ids.map(keyOf),
      async (missing, context) => {
        // Each goes by its own tag, as the pages that it is on do.
        for (const key of missing) context.of(key).tags = [key]
        const products = await this.#origin.find(missing.map(idOf), context.signal)
        return products.map(product => [keyOf(product.id), product] as const)
      },
      { signal },
    )
    return [...found.values()]
  }

  /**
   * Changes the origin, then removes what was made of the product: its own entry and the pages it is on.
   *
   * Takes no signal: who hangs up half-way must not leave the old price in the cache.
   *
   * @throws L2Error where L2 could not be told. The change is made all the same; do it again.
   */
  async change(id: number, changes: Partial<Product>): Promise<Product | undefined> {
    const product = await this.#origin.change(id, changes)
    await this.#cache.deleteByTag(keyOf(id))
    return product
  }
}
