import { median, ratios } from './ratios.js'

/** One way of doing the same work. */
export interface Subject {
  readonly name: string
  readonly run: () => unknown
}

/** Does everything once, to see that it works. */
const check = process.argv.includes('--check')
const ROUNDS = check ? 1 : 15
const SLICE_MS = check ? 1 : 60

/**
 * Times subjects side by side in one run and prints each as a ratio to the first, the limit:
 * 0.8 means that it does 0.8 times as many operations in the same time.
 *
 * The subjects take turns in short slices, so that a machine that speeds up or slows down does so
 * for all of them; a ratio is the median over the rounds, with its quartiles.
 */
export function compare(title: string, subjects: readonly Subject[]): void {
  const counts = new Map(subjects.map(({ name, run }) => [name, callsIn(SLICE_MS, run)]))
  const rates = new Map<string, number[]>(subjects.map(({ name }) => [name, []]))
  for (let round = 0; round < ROUNDS; round++) {
    // Every second round backwards: nobody always runs after the same neighbour.
    for (const { name, run } of round % 2 ? subjects.toReversed() : subjects) {
      rates.get(name)?.push(rate(counts.get(name) ?? 1, run))
    }
  }
  const [limit] = subjects
  const limitRates = rates.get(limit?.name ?? '') ?? []
  console.log(title)
  for (const { name } of subjects) {
    const own = rates.get(name) ?? []
    const { lower, median: middle, upper } = ratios(own, limitRates)
    const [low, mid, high] = [lower, middle, upper].map(ratio => ratio.toFixed(2))
    const perCall = (1_000 / median(own)).toFixed(2)
    console.log(`  ${name.padEnd(36)} ${mid}  (${low} to ${high})  ${perCall} µs`)
  }
}

/** How many calls fit into about `ms`; warms the code up on the way. */
function callsIn(ms: number, run: () => unknown): number {
  let calls = 1
  for (;;) {
    const took = calls / rate(calls, run)
    if (took >= ms) return calls
    calls = Math.ceil(calls * Math.min(4, (ms / Math.max(took, 0.01)) * 1.1))
  }
}

/** Calls per ms. */
function rate(calls: number, run: () => unknown): number {
  const start = performance.now()
  for (let i = 0; i < calls; i++) run()
  return calls / (performance.now() - start)
}
