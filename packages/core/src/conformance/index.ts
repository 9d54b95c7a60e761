import { abort } from './cases/abort.js'
import { close } from './cases/close.js'
import { concurrency } from './cases/concurrency.js'
import { idempotence } from './cases/idempotence.js'
import { isolation } from './cases/isolation.js'
import { keys } from './cases/keys.js'
import { misuse } from './cases/misuse.js'
import { order } from './cases/order.js'
import { sharing } from './cases/sharing.js'
import { tags } from './cases/tags.js'
import { ttl } from './cases/ttl.js'
import { values } from './cases/values.js'
import { Context } from './context.js'
import type { Definition } from './define.js'
import type { Case, Subject } from './types.js'

export { ConformanceError } from './check.js'
export type { Case, ClosableAdapter, Level, Subject } from './types.js'

/** A case that takes longer than this hangs: the slowest takes seconds. */
const CASE_TIMEOUT = 60_000

const DEFINITIONS: readonly Definition[] = [
  ...values,
  ...keys,
  ...ttl,
  ...tags,
  ...isolation,
  ...idempotence,
  ...misuse,
  ...abort,
  ...close,
  ...order,
  ...sharing,
  ...concurrency,
]

/**
 * The contract as test cases for your adapter. The kit knows no test runner: loop over the cases in
 * the one you use, or await their `run()` yourself. Each case has a namespace of its own, so they
 * may run in any order, or at once.
 *
 * @throws TypeError where a deviation names no case.
 * @example
 * for (const { title, run } of conformance({ open: namespace => new MyAdapter({ prefix: namespace }) }))
 *   test(title, run)
 */
export function conformance(subject: Subject): Case[] {
  const deviations = new Map(Object.entries(subject.deviations ?? {}))
  const unknown = [...deviations.keys()].find(id => !DEFINITIONS.some(one => one.id === id))
  if (unknown !== undefined) throw new TypeError(`deviations: there is no case '${unknown}'`)
  return DEFINITIONS.map(definition => ({
    id: definition.id,
    group: definition.id.slice(0, definition.id.indexOf('.')),
    rule: definition.rule,
    level: definition.level,
    title: `${definition.level} ${definition.id}: ${definition.holds}`,
    run: () => runCase(definition, subject, deviations.get(definition.id)?.reason),
  }))
}

async function runCase(
  definition: Definition,
  subject: Subject,
  deviation: string | undefined,
): Promise<void> {
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
  let timer: NodeJS.Timeout | undefined
  const hang = new Promise<never>((_, reject) => {
    const error = new Error(`not finished after ${CASE_TIMEOUT} ms: a call never settled`)
    timer = setTimeout(() => reject(error), CASE_TIMEOUT)
  })
  try {
    await Promise.race([definition.run(context), hang])
    await Promise.race([context.end(), hang])
    return undefined
  } catch (error) {
    await Promise.race([context.end(), hang]).catch(() => {})
    const failure = error instanceof Error ? error : new Error(String(error))
    failure.message =
      `${definition.level} ${definition.id} (rule: ${definition.rule}): an adapter ` +
      `${definition.level} ${definition.holds}.\n  done:     ${failure.message}\n  seed:     ${context.seed}`
    return failure
  } finally {
    clearTimeout(timer)
  }
}
