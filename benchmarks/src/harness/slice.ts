import type { Work } from './work.js'

/** What one process did in one slice of time. */
export interface Slice {
  readonly calls: number
  /** Wall time, in ms. */
  readonly ms: number
  /** CPU time of the process with all its threads, in ms. */
  readonly cpu: number
}

/** How a slice is done. */
export interface SliceOptions {
  /** That many loops, each of which awaits its own call. */
  readonly concurrency: number
  /** How long it lasts, in ms. */
  readonly ms: number
}

/** Does the work for some time, after having done it for half that time unmeasured. */
export async function slice(work: Work, { concurrency, ms }: SliceOptions): Promise<Slice> {
  await work.prepare?.()
  // No collection is forced here, to begin alike: it shrinks the young generation, and whoever
  // allocates more pays for that in the slice, 1.5 times in CPU (measured).
  await repeat(work, { concurrency, ms: ms / 2 }, work.spare)
  return repeat(work, { concurrency, ms })
}

async function repeat(
  work: Work,
  { concurrency, ms }: SliceOptions,
  limit = Number.POSITIVE_INFINITY,
): Promise<Slice> {
  const { calls: each = 1 } = work
  let calls = 0
  const cpu = process.cpuUsage()
  const start = performance.now()
  const end = start + ms
  const loop = async (): Promise<void> => {
    while (performance.now() < end && calls < limit) {
      const step = work.step()
      if (step === undefined) return
      calls += each
      const answer = await step
      work.check?.(answer)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, loop))
  const took = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  return { calls, ms: took, cpu: (user + system) / 1_000 }
}
