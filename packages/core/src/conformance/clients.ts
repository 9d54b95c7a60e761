import { ConformanceError, expectMiss, show } from './check.js'
import type { Context } from './context.js'
import type { History } from './history.js'
import { type Random, seededRandom } from './random.js'
import type { ClosableAdapter } from './types.js'

/** Few, so that calls meet. */
export const KEYS = ['a', 'b', 'c', 'd', 'e', 'f']
export const TAGS = ['t', 'u', 'v', 'w']

export const someTags = (random: Random): string[] => TAGS.filter(() => random.int(3) === 0)

/** One random call, recorded. Mostly sets and gets: what is never filled is never wrong. */
function randomCall(random: Random, history: History, adapter: ClosableAdapter): Promise<void> {
  const choice = random.int(100)
  if (choice < 40) return history.set(adapter, random.pick(KEYS), someTags(random))
  if (choice < 80) return history.get(adapter, random.pick(KEYS))
  if (choice < 88) return history.delete(adapter, random.pick(KEYS))
  if (choice < 98) return history.deleteByTag(adapter, random.pick(TAGS))
  return history.clear(adapter)
}

/** Two clients for each handle, `calls` random calls each, all at once. */
export async function clientsAtOnce(
  context: Context,
  history: History,
  handles: readonly ClosableAdapter[],
  calls: number,
): Promise<void> {
  const client = async (adapter: ClosableAdapter): Promise<void> => {
    // Of its own, so that what each client does depends on the seed alone.
    const random = seededRandom(context.random.int(2 ** 32))
    for (const _ of context.rounds(calls)) await randomCall(random, history, adapter)
  }
  await Promise.all(handles.flatMap(adapter => [client(adapter), client(adapter)]))
}

/** Every entry that can be read can be removed by each of its tags: checked by removing it. */
export async function expectNoOrphans(
  context: Context,
  history: History,
  adapter: ClosableAdapter,
): Promise<void> {
  for (const key of KEYS) {
    const seen = await adapter.get(key)
    if (seen === undefined) continue
    const tags = history.tagsOf(seen)
    if (tags === undefined)
      throw new ConformanceError(
        `concurrent calls, get('${key}')`,
        'a value that was set',
        show(seen),
      )
    if (tags.length === 0) continue
    const tag = context.random.pick(tags)
    await adapter.deleteByTag(tag)
    const done = `concurrent calls, then deleteByTag('${tag}') of an entry with [${tags}]`
    await expectMiss(adapter, key, done)
  }
}
