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

/** A ratio with two digits that count. */
export const ratio = (value: number): string => value.toPrecision(value >= 1 && value < 10 ? 3 : 2)

/** A median with its quartiles. */
export const spread = ({ lower, median, upper }: Spread): string =>
  `${ratio(median)} (${ratio(lower)} to ${ratio(upper)})`
