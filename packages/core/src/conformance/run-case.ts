import { ConformanceError, show } from './check.js'
import { Context } from './context.js'
import type { Definition, Need } from './define.js'
import type { Subject } from './types.js'

/** A case that takes longer than this hangs: the slowest takes seconds. */
const CASE_TIMEOUT = 60_000

/** The one case for adapters without tags. */
export const NO_TAGS = 'capabilities.no-tags'

const hasTags = (subject: Subject): boolean => subject.capabilities?.tags !== false

/** Whether the case says anything of adapters of this kind. */
export const applies = ({ id }: Definition, subject: Subject): boolean =>
  id !== NO_TAGS || !hasTags(subject)

/** Why the subject can't have this case run; `undefined` where it can. */
export function reasonToSkip({ id, needs }: Definition, subject: Subject): string | undefined {
  const lacks = (need: Need): boolean =>
    need === 'tags' ? !hasTags(subject) && id !== NO_TAGS : subject[need] === undefined
  const missing = needs.filter(lacks)
  return missing.length === 0 ? undefined : `the subject offers no ${missing.join(', no ')}`
}

/** Runs the case, and turns the result round where the adapter is known to deviate. */
export async function runCase(
  definition: Definition,
  subject: Subject,
  deviation: string | undefined,
): Promise<void> {
  const skip = reasonToSkip(definition, subject)
  if (skip !== undefined) throw new Error(`${definition.id} was not run: ${skip}`)
  const failure = await failureOf(definition, subject)
  if (deviation === undefined) {
    if (failure !== undefined) throw failure
  } else if (failure === undefined) {
    throw new Error(
      `${definition.id} passes, yet the adapter declares a deviation ("${deviation}"): remove it`,
    )
  }
}

async function failureOf(definition: Definition, subject: Subject): Promise<Error | undefined> {
  const context = new Context(subject)
  const outcome = await inTime(definition.run(context))
  // What can't be cleaned up is a failure too, but not the first to tell.
  const cleaned = await inTime(context.end())
  const failure = outcome ?? cleaned
  if (failure === undefined) return undefined
  const { level, id, rule, holds } = definition
  const { done, expected, actual } =
    failure.error instanceof ConformanceError
      ? failure.error
      : { done: 'its calls', expected: 'no error', actual: show(failure.error) }
  return new ConformanceError(
    `${level} ${id} (rule: ${rule}): an adapter ${level} ${holds}.\n  done:     ${done}`,
    expected,
    `${actual}\n  seed:     ${context.seed}`,
    { cause: failure.error },
  )
}

/** What `work` rejects with; an error where it does not settle. */
async function inTime(work: Promise<void>): Promise<{ readonly error: unknown } | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<{ readonly error: unknown }>(resolve => {
    const error = new ConformanceError(
      'its calls',
      `all settle within ${CASE_TIMEOUT} ms`,
      'one is still pending, or they are too many for a backend so slow',
    )
    timer = setTimeout(() => resolve({ error }), CASE_TIMEOUT)
  })
  const settled = work.then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  const failure = await Promise.race([settled, late])
  clearTimeout(timer)
  return failure
}
