import { median, ratios, type Spread } from '../ratios.js'
import type { Running } from './running.js'
import type { Slice } from './slice.js'
import type { Row } from './subject.js'

/** What one subject does of one work, as ratios to the limit. */
export interface Cell {
  readonly title: string
  /** Calls in the same time: more is better. */
  readonly rate: Spread
  /** CPU time per call: less is better. */
  readonly cpu: Spread
  /** Median wall time of a call, in µs: for orientation, as it says more about the machine. */
  readonly micros: number
}

/** What is measured in one table row after another. */
export interface Measurement {
  readonly work: string
  readonly concurrency: number
  readonly ms: number
  readonly rounds: number
}

/** The slices of each subject, by its id. */
export type Slices = ReadonlyMap<string, readonly Slice[]>

/**
 * Each subject does a slice of the work in each round, one after another while all others are idle:
 * a machine that speeds up or slows down does so for all of them. The first round is thrown away:
 * code is not compiled yet, and stores are not filled.
 */
export async function slicesOf(
  all: readonly Running[],
  { work, concurrency, ms, rounds }: Measurement,
): Promise<Slices> {
  const subjects = all.filter(({ works }) => works.includes(work))
  const slices = new Map<string, Slice[]>(subjects.map(({ row }) => [row.id, []]))
  for (let round = 0; round <= rounds; round++) {
    // Every second round backwards: nobody always runs after the same neighbour.
    for (const subject of round % 2 ? subjects.toReversed() : subjects) {
      const slice = await subject.remote.do('slice', work, { concurrency, ms })
      if (round > 0) slices.get(subject.row.id)?.push(slice)
    }
  }
  return slices
}

/** What the slices say of the rows that have some. The first is the limit. */
export function cellsOf(rows: readonly Row[], slices: Slices): Cell[] {
  const subjects = rows.filter(({ id }) => slices.has(id))
  const [limit] = subjects
  const of = (row: Row | undefined, figure: (slice: Slice) => number): number[] =>
    slices.get(row?.id ?? '')?.map(figure) ?? []
  const rate = ({ calls, ms }: Slice): number => calls / ms
  const cpu = ({ calls, cpu }: Slice): number => cpu / calls
  return subjects.map(row => ({
    title: row.title,
    rate: ratios(of(row, rate), of(limit, rate)),
    cpu: ratios(of(row, cpu), of(limit, cpu)),
    micros: median(of(row, slice => 1_000 / rate(slice))),
  }))
}
