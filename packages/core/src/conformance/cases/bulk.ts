import { expectHit, expectMiss, expectTrue, held } from '../check.js'
import { bytes, type Context } from '../context.js'
import { type Definition, must } from '../define.js'
import type { ClosableAdapter } from '../types.js'

const MANY = 20_000
/** Calls under way at once: enough to fill a connection, not a queue. */
const AT_ONCE = 500
/** Keys that others set meanwhile, at most. */
const MOST_DURING = 40_000
/** What has not ended by then, in ms, does not end. */
const LONGEST = 45_000
/** Too short, in ms, to tell on a busy machine whether other calls had to wait. */
const NO_TIME = 1_000

const keyOf = (i: number): string => `k${i}`

async function fill(adapter: ClosableAdapter, tag: string): Promise<void> {
  for (let from = 0; from < MANY; from += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, i) =>
        adapter.set(keyOf(from + i), bytes('before'), { tags: [tag] }),
      ),
    )
  }
}

/** How many of the entries are left, of a sample that includes both ends. */
async function left(adapter: ClosableAdapter): Promise<number> {
  const sample = Array.from({ length: 400 }, (_, i) =>
    i < 200 ? i * 97 : MANY - 1 - (i - 200) * 13,
  )
  const seen = await Promise.all(sample.map(i => adapter.get(keyOf(i))))
  return seen.filter(value => value !== undefined).length
}

/** Runs `work` while another handle goes on setting entries of `tag`, and expects it to end. */
async function endsWhileOthersSet(
  context: Context,
  done: string,
  work: (adapter: ClosableAdapter) => Promise<void>,
): Promise<void> {
  const [one, other] = [await context.open(), await context.open()]
  await fill(one, 't')
  let ended = false
  let during = 0
  const setting = held(
    (async () => {
      while (!ended) {
        // More and more keys, then the same again: work that looks for what is left finds some.
        const keys = Array.from({ length: 20 }, () => `more ${during++ % MOST_DURING}`)
        await Promise.all(keys.map(key => other.set(key, bytes('during'), { tags: ['t'] })))
        // An adapter that answers at once never lets go of the event loop by itself.
        await new Promise(resolve => setImmediate(resolve))
      }
    })(),
  )
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>(resolve => {
    timer = setTimeout(() => resolve('late'), LONGEST)
  })
  const outcome = await Promise.race([held(work(one)), late]).finally(() => {
    ended = true
    clearTimeout(timer)
  })
  expectTrue(
    outcome !== 'late',
    done,
    'it ends while others set',
    `not after ${LONGEST} ms and ${during} sets`,
  )
  await setting
  const count = await left(one)
  expectTrue(
    count === 0,
    done,
    'nothing left of what was there before',
    `${count} of 400 looked at`,
  )
}

export const bulk: readonly Definition[] = [
  must(
    'bulk.deleteByTag-ends',
    'Big work in slices',
    'deleteByTag',
    `remove ${MANY} entries of a tag, and end, while others keep setting the tag`,
    context =>
      endsWhileOthersSet(context, `deleteByTag of ${MANY} entries`, adapter =>
        adapter.deleteByTag('t'),
      ),
  ),

  must(
    'bulk.clear-ends',
    'Big work in slices',
    'clear',
    `clear ${MANY} entries, and end, while others keep setting`,
    context => endsWhileOthersSet(context, `clear of ${MANY} entries`, adapter => adapter.clear()),
  ),

  must(
    'bulk.others-stay',
    'Tags',
    'deleteByTag',
    `leave all others alone when it removes ${MANY} entries`,
    async context => {
      const adapter = await context.open()
      await adapter.set('first', bytes('1'), { tags: ['other'] })
      await fill(adapter, 't')
      await adapter.set('last', bytes('2'), { tags: ['other', 'more'] })
      await adapter.deleteByTag('t')
      await expectHit(adapter, 'first', bytes('1'), `deleteByTag of ${MANY} others`)
      await expectHit(adapter, 'last', bytes('2'), `deleteByTag of ${MANY} others`)
      await adapter.deleteByTag('more')
      await expectMiss(adapter, 'last', `deleteByTag of ${MANY} others, deleteByTag of its own`)
    },
  ),

  must(
    'bulk.calls-go-on',
    'Big work in slices',
    'get set delete',
    `answer other calls of the same handle while it removes ${MANY} entries`,
    async context => {
      const adapter = await context.open()
      await fill(adapter, 't')
      let ended = false
      const began = performance.now()
      const removing = held(
        adapter.deleteByTag('t').finally(() => {
          ended = true
        }),
      )
      let answered = 0
      for (let i = 0; i < 200 && !ended; i++) {
        await adapter.set('mine', bytes(`${i}`), { tags: ['mine'] })
        if (!ended) answered++
        await expectHit(adapter, 'mine', bytes(`${i}`), 'set and get during deleteByTag of others')
        await adapter.delete('mine')
        await expectMiss(adapter, 'mine', 'delete during deleteByTag of others')
        // Where calls take no time at all, the other one has to have its turn.
        await new Promise(resolve => setImmediate(resolve))
      }
      await removing
      const took = performance.now() - began
      const count = await left(adapter)
      expectTrue(count === 0, 'deleteByTag beside other calls', 'nothing left', `${count} of 400`)
      // One that is over in no time holds nobody up.
      expectTrue(
        answered > 0 || took < NO_TIME,
        `deleteByTag of ${MANY} entries beside other calls`,
        'some are answered before it ends',
        `none in ${Math.round(took)} ms`,
      )
    },
    ['tags'],
  ),
]
