import { Context } from './context.js'
import type { Definition } from './define.js'
import type { Subject } from './types.js'

/** A case that takes longer than this hangs: the slowest takes seconds. */
const CASE_TIMEOUT = 60_000

/** The one case for adapters without tags. */
export const NO_TAGS = 'capabilities.no-tags'

const hasTags = (subject: Subject): boolean => subject.capabilities?.tags !== false

/** Whether the case says anything of adapters of this kind. */
export function applies(definition: Definition, subject: Subject): boolean {
  return definition.id !== NO_TAGS || !hasTags(subject)
}

/** Why the subject can't have this case run; `undefined` where it can. */
export function reasonToSkip(definition: Definition, subject: Subject): string | undefined {
  const missing = definition.needs.filter(hook => subject[hook] === undefined)
  if (missing.length > 0) return `the subject offers no ${missing.join(', no ')}`
  const needsTags = definition.operations.includes('deleteByTag') && definition.id !== NO_TAGS
  return needsTags && !hasTags(subject) ? 'the adapter has no tags' : undefined
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
  failure.message =
    `${definition.level} ${definition.id} (rule: ${definition.rule}): an adapter ` +
    `${definition.level} ${definition.holds}.\n  done:     ${failure.message}\n  seed:     ${context.seed}`
  return failure
}

/** What `work` rejects with; an error where it does not settle. */
async function inTime(work: Promise<void>): Promise<Error | undefined> {
  let timer: NodeJS.Timeout | undefined
  const hang = new Promise<Error>(resolve => {
    const error = new Error(`not finished after ${CASE_TIMEOUT} ms: a call never settled`)
    timer = setTimeout(() => resolve(error), CASE_TIMEOUT)
  })
  const settled = work.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  )
  const failure = await Promise.race([settled, hang])
  clearTimeout(timer)
  return failure
}
