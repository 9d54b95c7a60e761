import type { Caller } from './caller.js'
import { KEYS, TAGS } from './names.js'
import { type Random, shuffled } from './random.js'

/**
 * Makes the calls that show orphans, once everybody else has stopped: each tag in turn, and after it
 * a look at what was there. The checker says what it means. At the end nothing is left.
 */
export async function verify(caller: Caller, random: Random): Promise<void> {
  let keys = await present(caller, [...KEYS.keys()])
  for (const tag of shuffled(random, [...TAGS.keys()])) {
    await caller.make({ kind: 'deleteByTag', tag })
    keys = await present(caller, keys)
  }
  await caller.make({ kind: 'clear' })
  await present(caller, keys)
}

async function present(caller: Caller, keys: readonly number[]): Promise<number[]> {
  const outcomes = await Promise.all(keys.map(key => caller.make({ kind: 'get', key })))
  return keys.filter((_, at) => outcomes[at]?.is !== 'miss')
}
