// @ts-check

/**
 * As if the clock of this process were off by so many ms. Before anything else is imported. Tells the
 * parent what it makes of it.
 */
export function shiftClock(/** @type {number} */ ms) {
  const TrueDate = Date
  globalThis.Date = /** @type {any} */ (
    class extends TrueDate {
      constructor(/** @type {any[]} */ ...args) {
        super(.../** @type {[any]} */ (args.length === 0 ? [TrueDate.now() + ms] : args))
      }
      static now() {
        return TrueDate.now() + ms
      }
    }
  )
  process.send?.({ now: Date.now() })
}
