import type { Spread } from '../ratios.js'

/** A table in Markdown that is readable as it stands, too. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, at) =>
    Math.max(3, ...[head, ...rows].map(row => row[at]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, at) => (cells[at] ?? '').padEnd(width)).join(' | ')} |`
  return [line(head), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

/** A ratio with the digits that count. */
export function ratio(value: number): string {
  if (value >= 10) return value.toFixed(0)
  return value.toFixed(value >= 0.1 ? 2 : 3)
}

/** A median with its quartiles. */
export const spread = ({ lower, median, upper }: Spread): string =>
  `${ratio(median)} (${ratio(lower)} to ${ratio(upper)})`
