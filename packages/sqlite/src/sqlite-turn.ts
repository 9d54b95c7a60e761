/** How long the event loop may be kept busy in one turn, in ms: what a timer waits for at most. */
export const TURN = 4

/** When the turn that we are in ends. `undefined`: nothing was done in it yet. */
let end: number | undefined

/**
 * Whether this turn of the event loop still has time for work that runs at once. An `await` of
 * what is answered at once never lets the event loop turn, so a loop of them would starve every
 * timer and socket. All adapters of a process share the turn.
 */
export function turnGoesOn(): boolean {
  const time = performance.now()
  if (end === undefined) {
    end = time + TURN
    setImmediate(() => (end = undefined)).unref()
  }
  return time < end
}
