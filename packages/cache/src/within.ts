/**
 * Settles as `work` does, or rejects after `ms`. The work goes on then, and what comes of it is
 * dropped.
 *
 * @param ms 0 = as long as it takes.
 */
export function within<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  if (ms === 0) return work
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      // One more turn: where this process was held up, the answer may have come long ago.
      setImmediate(() => reject(late()))
    }, ms)
    work.then(
      value => {
        clearTimeout(timer)
        resolve(value)
      },
      error => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
