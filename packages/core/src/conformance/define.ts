import type { Context } from './context.js'
import type { Hook, Level, Operation } from './types.js'

/** A case before it is bound to a subject. */
export interface Definition {
  /** `group.name`, stable. */
  readonly id: string
  readonly rule: string
  /** The operations that it tests, as opposed to those that it merely needs. */
  readonly operations: readonly Operation[]
  readonly level: Level
  /** What must hold, as the rest of a sentence that begins with the level. */
  readonly holds: string
  readonly run: (context: Context) => Promise<void>
  /** What the subject has to offer for it: hooks, and tags where it uses them to see by. */
  readonly needs: readonly Need[]
}

/** What a subject may lack. */
export type Need = Hook | 'tags'

type Run = Definition['run']

/** What an adapter has to do to meet the contract. @param operations their names, with spaces. */
export const must = (
  id: string,
  rule: string,
  operations: string,
  holds: string,
  run: Run,
  needs: readonly Need[] = [],
): Definition => ({
  id,
  rule,
  operations: operations.split(' ') as Operation[],
  level: 'MUST',
  holds,
  run,
  needs: operations.includes('deleteByTag') ? [...needs, 'tags'] : needs,
})

/** What users will miss where it is not so. */
export const should = (...args: Parameters<typeof must>): Definition => ({
  ...must(...args),
  level: 'SHOULD',
})
