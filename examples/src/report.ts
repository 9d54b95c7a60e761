import { isDeepStrictEqual } from 'node:util'
import type { Round } from './borders.js'
import type { Border } from './cities.js'

type Expected = Partial<Pick<Round, 'l1Hits' | 'l2Hits' | 'computed'>>

/** The table that the quickstart prints, and the check of every line in it. */
export class Report {
  #answers: Border[] | undefined

  constructor() {
    print(['process', 'step', 'L1 hits', 'L2 hits', 'misses', 'time'])
  }

  /** One step without an answer. */
  step(process: string, step: string, { ms }: { ms: number }): void {
    print([process, step, '', '', '', formatMs(ms)])
  }

  /**
   * One round of questions.
   *
   * @throws Error where hits, misses or the keys computed are not the expected ones, or an answer
   * is not that of the first round.
   */
  round(process: string, step: string, round: Round, expected: Expected): void {
    const { l1Hits, l2Hits, computed, misses, answers, ms } = round
    print([process, step, `${l1Hits}`, `${l2Hits}`, `${misses}`, formatMs(ms)])

    const wanted = { l1Hits: 0, l2Hits: 0, computed: [], ...expected }
    const seen = { l1Hits, l2Hits, computed }
    if (!isDeepStrictEqual(seen, wanted) || misses !== computed.length) {
      const [want, saw] = [wanted, { ...seen, misses }].map(counts => JSON.stringify(counts))
      throw new Error(`process ${process}, "${step}": expected ${want}, saw ${saw}`)
    }
    this.#answers ??= answers
    if (!isDeepStrictEqual(answers, this.#answers)) {
      throw new Error(`process ${process}, "${step}": an answer differs from the first one`)
    }
  }
}

function print([process = '', step = '', ...numbers]: string[]): void {
  const columns = numbers.map((text, i) => text.padStart([9, 9, 9, 12][i] ?? 0))
  console.log(`  ${process.padEnd(9)}${step.padEnd(26)}${columns.join('')}`)
}

function formatMs(ms: number): string {
  const digits = ms < 10 ? 2 : 0
  const options = { maximumFractionDigits: digits, minimumFractionDigits: digits }
  return `${ms.toLocaleString('en', options)} ms`
}
