import { NEVER, now } from '@l2/core'

/**
 * A time in this process: ms since it began. For 24 days those are small integers, which take no memory
 * but their place in an entry. Unix ms take an object each: with them a `set` took twice as long.
 */
export type Time = number

/** When something is over; `undefined` is never. */
export type End = Time | undefined

const START = now()

/** The present. */
export const clock = (): Time => small(now() - START)

/** 12 days ago, which is over though the clock be set back by less. */
export const longAgo = (): Time => small(clock() - 2 ** 30)

export const isOver = (end: End, time = clock()): boolean => end !== undefined && end <= time

/** When that many ms from `time` are over; 0 ms never are. */
export const after = (time: Time, ms: number): End => (ms === 0 ? undefined : small(time + ms))

export const earlier = (one: End, other: End): End =>
  one === undefined || other === undefined ? (one ?? other) : Math.min(one, other)

export const later = (one: End, other: End): End =>
  one === undefined || other === undefined ? undefined : Math.max(one, other)

/** A time in Unix ms, as envelopes have it. */
export const fromUnix = (unix: number): End => (unix === NEVER ? undefined : small(unix - START))

/** Always a safe integer, as envelopes want it. */
export const toUnix = (time: End): number =>
  time === undefined ? NEVER : Math.max(-NEVER, Math.min(START + time, NEVER))

/** The same number in the form of a small integer, where it is one: a difference of Unix ms is not by itself. */
export const small = (ms: number): number => (ms === (ms | 0) ? ms | 0 : ms)
