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

/** Before anything, whatever the clock may be set to. */
export const LONG_AGO: Time = -NEVER

export const isOver = (end: End, time = clock()): boolean => end !== undefined && end <= time

/** The end of a ttl, which as everywhere is never where it is 0. @param added ms more. */
export function after(time: Time, ttl: number, added = 0): End {
  const end = small(time + ttl + added)
  return ttl === 0 || START + end >= NEVER ? undefined : end
}

export const earlier = (one: End, other: End): End =>
  one === undefined || other === undefined ? (one ?? other) : Math.min(one, other)

export const later = (one: End, other: End): End =>
  one === undefined || other === undefined ? undefined : Math.max(one, other)

/** Of Unix ms, as envelopes have them. */
export const timeOf = (unix: number): Time => small(unix - START)

/** The same of an expiry. */
export const endOf = (unix: number): End => (unix === NEVER ? undefined : timeOf(unix))

/** The reverse of both: always a safe integer, as envelopes want it. */
export const toUnix = (time: End): number =>
  time === undefined ? NEVER : Math.max(-NEVER, Math.min(START + time, NEVER))

/** The same number in the form of a small integer, where it is one: a difference of Unix ms is not by itself. */
export const small = (ms: number): number => (ms === (ms | 0) ? ms | 0 : ms)
