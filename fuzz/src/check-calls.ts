import { MS } from './clock.js'
import type { Allowances, Call, Finding, History, Incident } from './history.js'

/** A machine that is busy with something else may take this much longer, in ms. */
const SLACK = 5_000

/** A bulk call has a deadline for each of its slices; more than these nobody needs here. */
const SLICES = 4

/**
 * How much later a worker may notice what was broken, in ms: it did not run meanwhile, and begins
 * calls on a connection that has long gone.
 */
const NOTICE = 1_000

/** Looks at each call by itself: no failure that nothing explains, and none without an end. */
export function* checkCalls(history: History, allowances: Allowances): Generator<Finding> {
  for (const call of history.calls) {
    const { outcome } = call
    if (
      outcome?.is === 'failed' &&
      !isExpected(call, outcome.code, history.incidents) &&
      !allowances.excuses?.(outcome.code, outcome.message)
    )
      yield { rule: 'error', message: `a call failed: ${outcome.code}`, calls: [call] }
    const late = lateness(call, history, allowances)
    if (late !== undefined) yield { rule: 'hang', message: late, calls: [call] }
  }
}

function isExpected(call: Call, code: string, incidents: readonly Incident[]): boolean {
  return incidents.some(
    incident =>
      incident.causes?.includes(code) &&
      overlapOf(call.begin - NOTICE * MS, call.end, incident) > 0,
  )
}

function lateness(call: Call, history: History, { timeout }: Allowances): string | undefined {
  const { gone } = history
  if (call.end === Infinity && gone.has(call.instance)) return 'a call did not settle by close()'
  const end = Math.min(call.end, gone.get(call.process) ?? Infinity)
  if (end === Infinity) return 'a call never settled'
  const isBulk = call.work.kind === 'clear' || call.work.kind === 'deleteByTag'
  const limit = (timeout * (isBulk ? SLICES : 1) + SLACK) * MS
  if (end - call.begin < limit) return undefined
  const paused = history.incidents
    .filter(({ name, process }) => name === 'pause' && process === call.process)
    .reduce((sum, incident) => sum + overlapOf(call.begin, end, incident), 0)
  const took = end - call.begin - paused
  return took < limit ? undefined : `a call took ${Math.round(took / MS)} ms`
}

function overlapOf(begin: number, end: number, incident: Incident): number {
  return Math.max(0, Math.min(end, incident.end) - Math.max(begin, incident.begin))
}
