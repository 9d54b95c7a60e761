/** How long the answers took that another client of a server waited for, in ms. */
export interface Pulse {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** What a process does that is such a client: one call after the other, until its parent has heard enough. */
export async function pulse(call: () => Promise<unknown>, end: () => unknown): Promise<void> {
  const times: number[] = []
  let isOver = false
  process.once('message', () => {
    isOver = true
  })
  process.send?.('ready')
  while (!isOver && process.connected) {
    const start = performance.now()
    await call()
    times.push(performance.now() - start)
    // Lets the message in.
    await new Promise(setImmediate)
  }
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number): number => sorted[Math.ceil(sorted.length * part) - 1] ?? 0
  const result: Pulse = { p50: at(0.5), p99: at(0.99), max: at(1) }
  process.send?.(result, () => process.disconnect())
  await end()
}
