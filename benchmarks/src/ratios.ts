/** A ratio over several rounds. */
export interface Spread {
  readonly lower: number
  readonly median: number
  readonly upper: number
}

/** The median of the rounds' ratios, and their quartiles. */
export function ratios(own: readonly number[], limit: readonly number[]): Spread {
  const sorted = own
    .map((each, round) => each / (limit[round] ?? Number.NaN))
    .toSorted((a, b) => a - b)
  const last = sorted.length - 1
  const at = (index: number): number => sorted[index] ?? Number.NaN
  return {
    lower: at(Math.floor(last / 4)),
    median: at(last >> 1),
    upper: at(Math.ceil((last * 3) / 4)),
  }
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return ratios(
    values,
    values.map(() => 1),
  ).median
}
