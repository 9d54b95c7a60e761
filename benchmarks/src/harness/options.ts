import { parseArgs } from 'node:util'
import type { Row } from './subject.js'
import type { Suite } from './suite.js'

/** What the command line chooses. */
export interface Options {
  readonly rounds: number
  readonly works: readonly string[]
  /** Whether the suite's extra is told as well. */
  readonly extra: boolean
  readonly concurrency: readonly number[]
  /** The first is the limit, whether it was asked for or not. */
  readonly rows: readonly Row[]
  /** Length of a timed slice, in ms. */
  readonly ms: number
  /** Only looks whether all subjects answer rightly. */
  readonly check: boolean
  /** Writes the page in `results/`. */
  readonly write: boolean
}

/** @throws Error that says what may be chosen. */
export function parseOptions(args: readonly string[], suite: Suite, rows: readonly Row[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '9' },
      only: { type: 'string' },
      concurrency: { type: 'string' },
      subjects: { type: 'string' },
      ms: { type: 'string' },
      check: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  })
  if (values.write && (values.only ?? values.concurrency ?? values.subjects) !== undefined)
    throw new Error('--write is of everything: it goes with --rounds and --ms only')
  const [limit] = rows
  const { extra } = suite
  const all = [...Object.keys(suite.works), extra.name]
  const only = chosen('work', values.only ?? all.join(), all)
  const concurrency = values.concurrency ?? suite.concurrency
  // A check is for every change: it compiles nothing for minutes, unless that is asked for.
  const byDefault = rows.filter(({ native }) => !(native && values.check))
  const idsOf = (some: readonly Row[]): string[] => some.map(({ id }) => id)
  const ids = chosen('subject', values.subjects ?? idsOf(byDefault).join(), idsOf(rows))
  return {
    rounds: positive('rounds', values.rounds),
    works: only.filter(name => name !== extra.name),
    extra: only.includes(extra.name),
    concurrency: concurrency.split(',').map(each => positive('concurrency', each)),
    rows: rows.filter(row => row === limit || ids.includes(row.id)),
    ms: positive('ms', values.ms ?? suite.ms),
    check: values.check,
    write: values.write,
  }
}

function chosen(what: string, list: string, known: readonly string[]): string[] {
  const names = list.split(',')
  const unknown = names.filter(name => !known.includes(name))
  if (unknown.length === 0) return names
  throw new Error(`no such ${what}: ${unknown.join(', ')}; there are ${known.join(', ')}`)
}

function positive(name: string, text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new Error(`--${name} takes whole numbers over 0, not ${text}`)
}
