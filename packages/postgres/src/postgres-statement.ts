import { createHash } from 'node:crypto'

/** A statement as the server prepares it. */
export interface Statement {
  readonly text: string
  /**
   * What it may be prepared as: made of its text, so that no two statements share a name, also of
   * two applications behind one pooler. `undefined`: it is planned anew each time.
   */
  readonly name?: string
  /**
   * Whether its plan depends on how large tables are. Postgres keeps a plan for long, and one that was
   * made for a table of ten rows reads all of it when it has a million.
   */
  readonly ages?: boolean
}

/** One that finds no rows but by a unique index that its very text demands (ON CONFLICT). */
export const lasting = (text: string): Statement => ({ text, name: nameOf(text) })

/** One that may be prepared for a while. */
export const ageing = (text: string): Statement => ({ text, name: nameOf(text), ages: true })

const nameOf = (text: string): string =>
  `l2_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`
