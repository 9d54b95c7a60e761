// @ts-check
/** @import { Reporter } from 'vitest/node' */

/**
 * A vitest reporter: ends the output with `N passed, N failed` alone on a line, for people and
 * programs that read only the end.
 *
 * @implements {Reporter}
 */
export default class Totals {
  /** @param {Parameters<NonNullable<Reporter['onTestRunEnd']>>} args */
  onTestRunEnd(...[modules, unhandledErrors]) {
    const total = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      // A file that could not be run at all has errors but no tests.
      total.failed += module.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        total[state === 'pending' ? 'skipped' : state]++
      }
    }
    const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
    // At the exit of the process: the coverage table comes after this hook.
    process.once('exit', () => {
      process.stdout.write(`\n${total.passed} passed, ${total.failed} failed${skipped}\n`)
    })
  }
}
