import { afterEach, beforeEach, vi } from 'vitest'
import { quiet } from '../controlled-adapter.js'

/** Clock and timers of each test in this file stand still from this Unix ms on: see {@link later}. */
export function fakeTime(start: number): void {
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'],
      now: start,
    })
  })
  afterEach(() => {
    vi.useRealTimers()
  })
}

/** Time passes, and what waits for it goes on. */
export async function later(ms: number): Promise<void> {
  await quiet()
  await vi.advanceTimersByTimeAsync(ms)
  await quiet()
}
