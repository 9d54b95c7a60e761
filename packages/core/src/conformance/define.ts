import type { Context } from './context.js'
import type { Level } from './types.js'

/** A case before it is bound to a subject. */
export interface Definition {
  /** `group.name`, stable. */
  readonly id: string
  readonly rule: string
  readonly level: Level
  /** What must hold, as the rest of a sentence that begins with the level. */
  readonly holds: string
  readonly run: (context: Context) => Promise<void>
}

type Run = Definition['run']

/** What an adapter has to do to meet the contract. */
export const must = (id: string, rule: string, holds: string, run: Run): Definition => ({
  id,
  rule,
  level: 'MUST',
  holds,
  run,
})

/** What users will miss where it is not so. */
export const should = (id: string, rule: string, holds: string, run: Run): Definition => ({
  ...must(id, rule, holds, run),
  level: 'SHOULD',
})
