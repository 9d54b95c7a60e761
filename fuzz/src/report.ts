import { MS } from './clock.js'
import type { Call, Finding, Rule } from './history.js'
import { KEYS, TAGS } from './names.js'

/** What a run found. */
export interface Report {
  readonly seed: number
  readonly rounds: number
  /** Calls by kind; reads by their answer too, as `hit` and `miss`. */
  readonly calls: ReadonlyMap<string, number>
  readonly faults: ReadonlyMap<string, number>
  /** The first few of each rule. */
  readonly findings: readonly Finding[]
  /** All of them. */
  readonly found: ReadonlyMap<Rule, number>
  /** Where the logs of the first round with findings are. */
  readonly logs: string | undefined
  /** The command that makes the same workers do the same again. */
  readonly replay: string
}

export function formatReport(report: Report): string {
  const list = (counts: ReadonlyMap<string, number>) =>
    [...counts].map(([name, count]) => `${name} ${count}`).join(', ') || 'none'
  return [
    `seed ${report.seed}, ${report.rounds} rounds`,
    `calls: ${list(report.calls)}`,
    `faults: ${list(report.faults)}`,
    `findings: ${list(report.found)}`,
    ...report.findings.map(formatFinding),
    ...(report.logs === undefined ? [] : [`logs: ${report.logs}`]),
    ...(report.found.size === 0 ? [] : [`replay: ${report.replay}`]),
  ].join('\n')
}

export function formatFinding({ rule, message, calls }: Finding): string {
  const start = Math.min(...calls.map(call => call.begin))
  return [`${rule}: ${message}`, ...calls.map(call => `    ${formatCall(call, start)}`)].join('\n')
}

/** @param start what times count from, in ns. */
function formatCall({ work, instance, n, begin, end, outcome }: Call, start: number): string {
  const ms = (time: number) => `${((time - start) / MS).toFixed(3)} ms`
  const ended = end === Infinity ? 'never' : ms(end)
  const answer = Object.values(outcome ?? { is: 'unknown' }).join(' ')
  return `${instance}#${n}  ${ms(begin)} to ${ended}  ${describe(work)}: ${answer}`
}

function describe(work: Call['work']): string {
  const key = 'key' in work ? ` ${JSON.stringify(KEYS[work.key])} (${work.key})` : ''
  const tag = 'tag' in work ? ` ${JSON.stringify(TAGS[work.tag])} (${work.tag})` : ''
  const details = work.kind === 'set' ? ` ${work.size} B, ttl ${work.ttl}, tags ${work.tags}` : ''
  return `${work.kind}${key}${tag}${details}`
}
