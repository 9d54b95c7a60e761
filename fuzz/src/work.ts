import { hotKeys, hotTags, KEYS, WIDE } from './names.js'
import { oneOf, type Random } from './random.js'

/** One call to make. Keys and tags are places in the lists of names.ts; `ttl` is in ms, 0 = never. */
export type Work =
  | { readonly kind: 'get' | 'delete'; readonly key: number }
  | {
      readonly kind: 'set'
      readonly key: number
      readonly size: number
      readonly ttl: number
      readonly tags: readonly number[]
    }
  | { readonly kind: 'deleteByTag'; readonly tag: number }
  | { readonly kind: 'clear' | 'ping' }

/** When a call's signal aborts: before the call, in its turn, or some ms later. */
export type Abort = 'before' | 'at once' | number

/** Calls made in one turn. */
export interface Step {
  readonly works: readonly Work[]
  /** Whether the next step waits for them. */
  readonly awaited: boolean
  /** Which of the calls is aborted, and when. */
  readonly abort?: { readonly at: number; readonly when: Abort }
  /** ms to rest afterwards; 0 lets the event loop turn, absent goes right on. */
  readonly rest?: number
}

/** The next step of a worker: follows from the numbers alone. */
export function nextStep(random: Random): Step {
  const works = worksOfOneTurn(random)
  const awaited = random(20) > 0
  const abort =
    random(25) > 0 ? {} : { abort: { at: random(works.length), when: abortTime(random) } }
  const rest = random(4) > 0 ? {} : { rest: random(40) > 0 ? 0 : random(12) }
  return { works, awaited, ...abort, ...rest }
}

/** The same call with a larger value. */
export function scaled(work: Work, scale: number): Work {
  return work.kind === 'set' ? { ...work, size: work.size * scale } : work
}

function worksOfOneTurn(random: Random): Work[] {
  const what = random(1_000)
  if (what < 550) return [anyWork(random)]
  if (what < 800) return many(2 + random(12), () => anyWork(random))
  if (what < 997) {
    const key = random(hotKeys)
    return many(2 + random(5), () => onKey(random, key))
  }
  // Many entries under one tag: more than one slice removes.
  return many(50 + random(250), () => coldSet(random))
}

function anyWork(random: Random): Work {
  const what = random(1_000)
  if (what < 40) return { kind: 'deleteByTag', tag: random(hotTags) }
  if (what < 42) return { kind: 'deleteByTag', tag: WIDE }
  if (what < 44) return { kind: 'clear' }
  if (what < 50) return { kind: 'ping' }
  if (what < 100) return coldSet(random)
  return onKey(random, random(10) > 0 ? random(hotKeys) : random(KEYS.length))
}

function onKey(random: Random, key: number): Work {
  const what = random(100)
  if (what < 50) return { kind: 'get', key }
  if (what < 60) return { kind: 'delete', key }
  const tags = many(random(5), () => random(hotTags))
  return { kind: 'set', key, size: size(random), ttl: ttl(random), tags: [...new Set(tags)] }
}

function coldSet(random: Random): Work {
  const key = hotKeys + random(KEYS.length - hotKeys)
  const tags = [...new Set([WIDE, random(hotTags)])]
  return { kind: 'set', key, size: 100 + random(900), ttl: 0, tags }
}

function size(random: Random): number {
  const what = random(100)
  if (what < 2) return 0
  if (what < 4) return 64 * 1_024
  return what < 50 ? 1_024 : random(3_000)
}

function ttl(random: Random): number {
  const what = random(10)
  if (what < 6) return 0
  return what < 8 ? 1 + random(30) : 50 + random(500)
}

function abortTime(random: Random): Abort {
  return oneOf<Abort>(random, ['before', 'at once', 'at once', random(3)])
}

function many<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}
