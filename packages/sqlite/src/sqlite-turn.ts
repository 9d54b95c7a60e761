/**
 * How long one turn of the event loop runs waiting calls, in ms: timers and the writers of other
 * processes wait for it.
 */
export const TURN = 4

/** How long a slice of bulk work takes, in ms. What it removed takes as long again to commit. */
export const SLICE = 3

/**
 * Reads run at once until this much of a turn is over, in ms; then they wait for the next one. A
 * loop that awaits them never gets there, as core sees to it, but a thousand reads at once do.
 */
export const BURST = 12

/** How many adapters of this process have calls that wait. */
let waiting = 0

/** An adapter has calls that wait for a turn. */
export function awaitTurn(): void {
  waiting++
}

/** Its turn has come: for how long, in ms, is a share of {@link TURN}. */
export function leaveTurn(): number {
  return TURN / waiting--
}
