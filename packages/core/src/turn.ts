/** When the first call that was answered at once in this turn of the event loop was. */
let began: number | undefined
let length = 0
let next: Promise<void> | undefined

/**
 * How long calls that are answered at once have kept the event loop in this turn, in ms. All
 * adapters of the process count.
 */
export const turnLength = (): number => length

/** To be called at each call that was answered at once. */
export function countCall(): void {
  const time = performance.now()
  if (began === undefined) {
    began = time
    setImmediate(() => {
      began = undefined
      length = 0
    }).unref()
  }
  length = time - began
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
