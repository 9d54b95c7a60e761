import { type Percentiles, percentiles } from './percentiles.js'

/** How long the answers took that another client of a server waited for, in ms. */
export type Pulse = Percentiles

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
  process.send?.(percentiles(times), () => process.disconnect())
  await end()
}
