import { HTTPException } from 'hono/http-exception'
import type { Product } from './origin.js'

const MOST_IDS = 100

/** @throws HTTPException 400 */
export function parseId(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new HTTPException(400, { message: 'an id is a whole number' })
  return Number(text)
}

/** @throws HTTPException 400 */
export function parseIds(text = ''): number[] {
  const ids = text.split(',')
  // What strangers ask for becomes keys and a query: no more of it than makes sense.
  if (ids.length > MOST_IDS) throw new HTTPException(400, { message: `${MOST_IDS} ids at most` })
  return ids.map(parseId)
}

/** @throws HTTPException 400 */
export function parseChanges(text: string): Pick<Product, 'price'> {
  try {
    const { price } = JSON.parse(text)
    if (Number.isFinite(price)) return { price }
  } catch {
    // Told below.
  }
  throw new HTTPException(400, { message: 'the body is { "price": number }' })
}
