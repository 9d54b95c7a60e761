import { type Options, parseOptions } from './options.js'
import { type Page, writePage } from './page.js'
import { withPeers } from './peers.js'
import { type Cell, cellsOf, type Measurement, type Slices, slicesOf } from './rounds.js'
import { type Running, withRunning } from './running.js'
import type { Slice } from './slice.js'
import type { Row } from './subject.js'
import type { Suite } from './suite.js'
import { SUITES } from './suites.js'
import { ratio, spread, table } from './table.js'

/**
 * Measures subjects beside the first, the limit, as the command line says.
 *
 * @param page what `--write` puts around the tables.
 */
export async function benchmark(
  rows: readonly Row[],
  page: Page,
  suite: Suite = SUITES.store,
): Promise<void> {
  const options = optionsOrExit(suite, rows)
  const chosen = await withPeers(options.rows)
  const sections: string[] = []
  const add = (section: string): void => {
    console.log(`\n${section}`)
    sections.push(section)
  }
  await withRunning(suite, chosen, async (running, folderOf) => {
    for (const { row, remote, works } of running) {
      await remote.do('verify')
      console.log(`${row.id}: answers rightly; does ${works.join(', ')}`)
    }
    if (options.check) return
    for (const work of options.works) add(await worked(suite, work, running, options))
    if (options.extra) add(await suite.extra.tell(running, folderOf))
  })
  if (options.check) return
  if (!options.write) return
  if (chosen.length < options.rows.length) throw new Error('a page is of all subjects')
  const { rounds, ms } = options
  const intro = `${page.intro}\n${rounds} rounds of slices of ${ms} ms.`
  writePage({ ...page, intro }, chosen, sections)
}

function optionsOrExit(suite: Suite, rows: readonly Row[]): Options {
  try {
    return parseOptions(process.argv.slice(2), suite, rows)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(2)
  }
}

/** The slices of one work, in these processes or in new ones. */
async function measured(
  suite: Suite,
  running: readonly Running[],
  measurement: Measurement,
): Promise<Slices> {
  const { renewal } = suite
  if (renewal === undefined) return slicesOf(running, measurement)
  const rows = running.map(({ row }) => row)
  const all = new Map<string, Slice[]>()
  for (let left = measurement.rounds; left > 0; left -= renewal) {
    const rounds = Math.min(left, renewal)
    const some = await withRunning(suite, rows, renewed =>
      slicesOf(renewed, { ...measurement, rounds }),
    )
    for (const [id, slices] of some) all.set(id, [...(all.get(id) ?? []), ...slices])
  }
  return all
}

/** One work at each concurrency, as a table. */
async function worked(
  suite: Suite,
  work: string,
  running: readonly Running[],
  { rounds, ms, concurrency }: Options,
): Promise<string> {
  const rows = running.map(({ row }) => row)
  const columns: Cell[][] = []
  for (const each of concurrency) {
    console.error(`${work} at ${each} ...`)
    const slices = await measured(suite, running, { work, concurrency: each, ms, rounds })
    columns.push(cellsOf(rows, slices))
  }
  const micros = columns.map(column => column[0]?.micros.toPrecision(3))
  console.log(`\nµs per call of the limit, at ${concurrency.join(', ')}: ${micros.join(', ')}`)

  const lines = columns[0]?.map(({ title }, row) => {
    const cells = columns.map(column => column.find(cell => cell.title === title))
    const told = (tell: (cell: Cell) => string): string[] =>
      cells.map(cell => (cell ? (row === 0 ? '1' : tell(cell)) : ''))
    return [title, ...told(({ rate }) => spread(rate)), ...told(({ cpu }) => ratio(cpu.median))]
  })
  const head = [
    '',
    ...concurrency.map(each => `${each} at once`),
    ...concurrency.map(each => `CPU, ${each}`),
  ]
  return `## ${suite.works[work]}\n\n${table(head, lines ?? [])}`
}
