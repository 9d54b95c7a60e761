import { checkCalls } from './check-calls.js'
import { checkHits } from './check-hits.js'
import { checkMisses } from './check-misses.js'
import type { Allowances, Finding, History } from './history.js'
import { orderOf } from './order.js'

/**
 * Looks for what no adapter that keeps the contract can have answered. It knows what each call may
 * have seen, from when calls began and ended; what it reports can't be explained by any order in
 * which they may have taken effect, as long as machine and backend agree on the time.
 *
 * It does not look for everything: a history without findings is no proof.
 *
 * Cost: O(n log n) in the calls, if calls that were cut off don't stay without a known end.
 */
export function* check(history: History, allowances: Allowances): Generator<Finding, void> {
  yield* checkCalls(history, allowances)
  const order = orderOf(history, allowances)
  for (const [key, each] of order.keys) {
    yield* checkHits(key, each, order)
    yield* checkMisses(each, order)
  }
}
