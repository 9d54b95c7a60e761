import type { Case, Level } from './types.js'

/** What came of one case. `deviating`: it failed, as the subject had declared. */
export interface CaseResult {
  readonly id: string
  readonly rule: string
  readonly level: Level
  readonly outcome: 'passed' | 'failed' | 'deviating' | 'not run'
  readonly ms: number
  /** Why it failed, deviates or was not run. */
  readonly reason?: string
}

/** What came of all cases. Fit for `JSON.stringify`. */
export interface Report {
  /** No case failed. Says nothing of those that were not run. */
  readonly ok: boolean
  /** For each level, how many cases there are and what came of them. */
  readonly levels: Readonly<
    Record<Level, Readonly<Record<'total' | 'run' | CaseResult['outcome'], number>>>
  >
  readonly results: readonly CaseResult[]
}

/**
 * Runs cases one after another, without a test runner.
 *
 * @param onResult is called after each: for progress.
 */
export async function runCases(
  cases: readonly Case[],
  onResult: (result: CaseResult) => void = () => {},
): Promise<Report> {
  const results: CaseResult[] = []
  for (const one of cases) {
    const result = await resultOf(one)
    results.push(result)
    onResult(result)
  }
  const levels = { MUST: count(results, 'MUST'), SHOULD: count(results, 'SHOULD') }
  return { ok: results.every(({ outcome }) => outcome !== 'failed'), levels, results }
}

/** The report as a table for people: the sums, then what is not simply passed. */
export function formatReport({ levels, results }: Report): string {
  const sums = (['MUST', 'SHOULD'] as const).map(level => {
    const { total, run, passed, failed, deviating } = levels[level]
    const parts = [`${passed} passed`, `${failed} failed`, `${deviating} deviating`]
    return `${level} ${run} of ${total} run: ${parts.join(', ')}`
  })
  const width = Math.max(...results.map(({ id }) => id.length))
  const others = results
    .filter(({ outcome }) => outcome !== 'passed')
    .map(
      ({ id, level, outcome, reason = '' }) =>
        `${outcome.padEnd(9)}  ${level.padEnd(6)}  ${id.padEnd(width)}  ${reason.replaceAll('\n', '\n    ')}`,
    )
  return [...sums, ...others].join('\n')
}

async function resultOf({ id, rule, level, skip, deviation, run }: Case): Promise<CaseResult> {
  const what = { id, rule, level }
  if (skip !== undefined) return { ...what, outcome: 'not run', ms: 0, reason: skip }
  const start = performance.now()
  const failure = await run().then(
    () => undefined,
    (error: Error) => error.message,
  )
  const ms = Math.round(performance.now() - start)
  if (failure !== undefined) return { ...what, outcome: 'failed', ms, reason: failure }
  if (deviation !== undefined) return { ...what, outcome: 'deviating', ms, reason: deviation }
  return { ...what, outcome: 'passed', ms }
}

function count(results: readonly CaseResult[], level: Level): Report['levels'][Level] {
  const of = results.filter(result => result.level === level)
  const counts = { total: of.length, run: 0, passed: 0, failed: 0, deviating: 0, 'not run': 0 }
  for (const { outcome } of of) counts[outcome]++
  return { ...counts, run: counts.total - counts['not run'] }
}
