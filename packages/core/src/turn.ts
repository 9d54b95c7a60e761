// Not the global one, which tests of applications replace by one that stands still.
import { setImmediate } from 'node:timers'

/** How long calls that are answered at once may keep the event loop, in ms. */
const TURN = 4

/** When the first call that was answered at once in this turn of the event loop was. */
let began: number | undefined
let length = 0
let next: Promise<void> | undefined

/**
 * How long calls that are answered at once have kept the event loop in this turn, in ms. All
 * adapters of the process count.
 */
export const turnLength = (): number => length

/** To be asked at each call that is answered at once: whether it is not too late for that. */
export function hasTimeLeft(): boolean {
  const time = performance.now()
  if (began === undefined) {
    began = time
    setImmediate(() => {
      began = undefined
      length = 0
    }).unref()
  }
  length = time - began
  return length < TURN
}

/** The next turn of the event loop: one promise for all who wait for it. */
export function nextTurn(): Promise<void> {
  next ??= new Promise(resolve => {
    setImmediate(() => {
      next = undefined
      resolve()
    })
  })
  return next
}
