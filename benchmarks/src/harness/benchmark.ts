import { type Options, parseOptions } from './options.js'
import { type Cell, measure } from './rounds.js'
import { type Running, withRunning } from './running.js'
import type { Row } from './subject.js'
import { spread, table } from './table.js'
import { WORKS, type WorkName } from './works.js'

/** Measures subjects beside the first, as the command line says. */
export async function benchmark(rows: readonly Row[]): Promise<void> {
  const options = parseOptions(process.argv.slice(2), rows)
  await withRunning(options.rows, async running => {
    for (const { row, remote } of running) {
      await remote.do('verify')
      console.log(`${row.id}: right answers`)
    }
    if (options.check) return
    for (const work of options.works) console.log(await measured(work, running, options))
  })
}

/** One work at each concurrency, as text. */
async function measured(
  work: WorkName,
  running: readonly Running[],
  { rounds, ms, concurrency }: Options,
): Promise<string> {
  const columns: Cell[][] = []
  for (const each of concurrency) {
    columns.push(await measure(running, { work, concurrency: each, ms, rounds }))
  }
  const lines = columns[0]?.map(({ id }) => {
    const cells = columns.map(column => column.find(cell => cell.id === id))
    return [
      id,
      ...cells.map(cell => (cell ? spread(cell.rate) : '')),
      ...cells.map(cell => (cell ? cell.cpu.median.toFixed(2) : '')),
      ...cells.map(cell => (cell ? cell.micros.toFixed(1) : '')),
    ]
  })
  const head = [
    WORKS[work],
    ...concurrency.map(each => `${each}`),
    ...concurrency.map(each => `CPU, ${each}`),
    ...concurrency.map(each => `µs, ${each}`),
  ]
  return `\n${table(head, lines ?? [])}`
}
