import { abort } from './cases/abort.js'
import { bulk } from './cases/bulk.js'
import { capabilities } from './cases/capabilities.js'
import { close } from './cases/close.js'
import { concurrency } from './cases/concurrency.js'
import { crash } from './cases/crash.js'
import { cut } from './cases/cut.js'
import { elsewhere } from './cases/elsewhere.js'
import { idempotence } from './cases/idempotence.js'
import { isolation } from './cases/isolation.js'
import { keys } from './cases/keys.js'
import { misuse } from './cases/misuse.js'
import { order } from './cases/order.js'
import { residue } from './cases/residue.js'
import { retagging } from './cases/retagging.js'
import { sharing } from './cases/sharing.js'
import { stall } from './cases/stall.js'
import { tags } from './cases/tags.js'
import { ttl } from './cases/ttl.js'
import { values } from './cases/values.js'
import type { Definition } from './define.js'
import { applies, reasonToSkip, runCase } from './run-case.js'
import type { Case, Subject } from './types.js'

export { ConformanceError } from './check.js'
export { type CaseResult, formatReport, type Report, runCases } from './report.js'
export type { Case, ClosableAdapter, Hook, Level, Operation, Subject } from './types.js'

const DEFINITIONS: readonly Definition[] = [
  ...values,
  ...keys,
  ...ttl,
  ...tags,
  ...retagging,
  ...isolation,
  ...idempotence,
  ...misuse,
  ...capabilities,
  ...abort,
  ...close,
  ...order,
  ...sharing,
  ...bulk,
  ...concurrency,
  ...residue,
  ...elsewhere,
  ...crash,
  ...cut,
  ...stall,
]

const KNOWN: ReadonlySet<string> = new Set<keyof Subject>([
  'open',
  'openUnprefixed',
  'openElsewhere',
  'capabilities',
  'timeout',
  'residue',
  'sweep',
  'cut',
  'stall',
  'restore',
  'crash',
  'deviations',
  'seed',
])

/**
 * The contract as test cases for your adapter. The kit knows no test runner: loop over the cases in
 * the one you use, or give them to {@link runCases}. Each case has a namespace of its own, so they
 * may run in any order, or at once.
 *
 * @throws TypeError where a deviation names no case, or the subject offers what the kit does not know.
 * @example
 * for (const { title, skip, run } of conformance({ open: prefix => new MyAdapter({ prefix }) }))
 *   test(title, { skip: skip !== undefined }, run)
 */
export function conformance(subject: Subject): Case[] {
  const odd = Object.keys(subject).find(name => !KNOWN.has(name))
  if (odd !== undefined) throw new TypeError(`the kit knows no '${odd}' of a subject`)
  const deviations = new Map(Object.entries(subject.deviations ?? {}))
  const unknown = [...deviations.keys()].find(id => !DEFINITIONS.some(one => one.id === id))
  if (unknown !== undefined) throw new TypeError(`deviations: there is no case '${unknown}'`)
  return DEFINITIONS.filter(one => applies(one, subject)).map(definition => {
    const { id, rule, operations, level, holds } = definition
    const skip = reasonToSkip(definition, subject)
    const deviation = deviations.get(id)?.reason
    return {
      id,
      group: id.slice(0, id.indexOf('.')),
      rule,
      operations,
      level,
      title: `${level} ${id}: ${holds}`,
      ...(skip === undefined ? {} : { skip }),
      ...(deviation === undefined ? {} : { deviation }),
      run: () => runCase(definition, subject, deviation),
    }
  })
}
