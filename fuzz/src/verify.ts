import type { Caller } from './caller.js'
import { KEYS, TAGS } from './names.js'
import { type Random, shuffled } from './random.js'

/**
 * Makes the calls that show orphans, once everybody else has stopped: each tag in turn, and after it
 * a look at what was there. The checker says what it means. At the end nothing is left: all is cleared,
 * or deleted key by key, now and then without the tags before it, as what is left of entries that
 * nobody removed by a tag would not show otherwise.
 */
export async function verify(caller: Caller, random: Random): Promise<void> {
  let keys = await present(caller, [...KEYS.keys()])
  const end = random(4)
  for (const tag of end === 0 ? [] : shuffled(random, [...TAGS.keys()])) {
    await caller.make({ kind: 'deleteByTag', tag })
    keys = await present(caller, keys)
  }
  if (end > 1) await caller.make({ kind: 'clear' })
  else await Promise.all(keys.map(key => caller.make({ kind: 'delete', key })))
  await present(caller, keys)
}

async function present(caller: Caller, keys: readonly number[]): Promise<number[]> {
  const outcomes = await Promise.all(keys.map(key => caller.make({ kind: 'get', key })))
  return keys.filter((_, at) => outcomes[at]?.is !== 'miss')
}
