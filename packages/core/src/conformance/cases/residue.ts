import { expectHit, expectMiss, expectTrue } from '../check.js'
import { bytes, type Context, elapse } from '../context.js'
import { type Definition, must } from '../define.js'
import type { ClosableAdapter } from '../types.js'

/** What the contract calls "a constant": room for counters and the like. */
const CONSTANT = 16

/** @param live associations of entry and tag that are still there. */
async function expectResidue(context: Context, live: number, done: string): Promise<void> {
  await context.sweep()
  const seen = await context.residue()
  const most = live === 0 ? 0 : 2 * live + CONSTANT
  const expected = live === 0 ? 'none' : `at most ${most} records for ${live} live associations`
  expectTrue(seen <= most, `${done}, sweep`, expected, `${seen} records of bookkeeping`)
}

const setMany = (
  adapter: ClosableAdapter,
  count: number,
  ttl: number,
  tagsOf: (i: number) => string[],
): Promise<unknown> =>
  Promise.all(
    Array.from({ length: count }, (_, i) =>
      adapter.set(`k${i}`, bytes(`${i}`), { ttl, tags: tagsOf(i) }),
    ),
  )

/** Entries with shared and own tags, removed in one way or another, leave nothing. */
const leavesNothing = (
  id: string,
  operations: string,
  holds: string,
  remove: (adapter: ClosableAdapter) => Promise<unknown>,
  ttl = 0,
): Definition =>
  must(
    `residue.${id}`,
    'No residue',
    operations,
    holds,
    async context => {
      const adapter = await context.open()
      await setMany(adapter, 200, ttl, i => ['all', `third ${i % 3}`, `own ${i}`])
      await remove(adapter)
      await expectResidue(context, 0, `200 entries set with 3 tags, ${id}`)
    },
    ['residue', 'sweep'],
  )

export const residue: readonly Definition[] = [
  leavesNothing('delete', 'delete', 'leave no bookkeeping of deleted entries', adapter =>
    Promise.all(Array.from({ length: 200 }, (_, i) => adapter.delete(`k${i}`))),
  ),
  leavesNothing(
    'deleteByTag',
    'deleteByTag',
    'leave no bookkeeping of entries deleted by tag',
    adapter => adapter.deleteByTag('all'),
  ),
  leavesNothing('clear', 'clear', 'leave no bookkeeping when cleared', adapter => adapter.clear()),
  leavesNothing('expiry', 'set', 'leave no bookkeeping of expired entries', () => elapse(60), 20),
  leavesNothing(
    'untagged',
    'set',
    'leave no bookkeeping of entries set again without tags',
    async adapter => {
      await setMany(adapter, 200, 0, () => [])
      await Promise.all(Array.from({ length: 200 }, (_, i) => adapter.delete(`k${i}`)))
    },
  ),

  must(
    'residue.live',
    'No residue',
    'set',
    'keep at most twice the live associations',
    async context => {
      const adapter = await context.open()
      await setMany(adapter, 200, 0, i => ['all', `own ${i}`])
      await expectResidue(context, 400, '200 entries set with 2 tags')
    },
    ['residue', 'sweep'],
  ),

  must(
    'residue.same-tags-again',
    'No residue',
    'set',
    'keep no more when an entry is set again and again with the same tags',
    async context => {
      const adapter = await context.open()
      for (let i = 0; i < 300; i++) await adapter.set('k', bytes(`${i}`), { tags: ['a', 'b'] })
      await expectResidue(context, 2, '300 sets of one key with the same 2 tags')
    },
    ['residue', 'sweep'],
  ),

  must(
    'residue.new-tags-each-time',
    'No residue',
    'set',
    'keep no tags that an entry no longer has',
    async context => {
      const adapter = await context.open()
      for (let i = 0; i < 300; i++)
        await adapter.set('k', bytes(`${i}`), { tags: ['a', `once ${i}`] })
      await expectResidue(context, 2, '300 sets of one key with a new tag each time')
    },
    ['residue', 'sweep'],
  ),

  must(
    'residue.beside-a-long-life',
    'No residue',
    'set deleteByTag',
    'drop short-lived members of a tag that a long-lived entry keeps alive, and keep that one',
    async context => {
      const adapter = await context.open()
      await adapter.set('long', bytes('v'), { tags: ['t'] })
      for (let round = 0; round < 3; round++) {
        await setMany(adapter, 200, 15, () => ['t'])
        await elapse(40)
        await expectResidue(context, 1, '200 entries of ttl 15 expired beside one without')
      }
      await adapter.deleteByTag('t')
      await expectMiss(adapter, 'long', "siblings expired and swept, deleteByTag('t')")
      await expectResidue(context, 0, "deleteByTag('t')")
    },
    ['residue', 'sweep'],
  ),

  must(
    'residue.of-others',
    'Isolation',
    'set deleteByTag',
    'count and sweep each prefix for itself',
    async context => {
      const [mine, other] = [await context.open(), await context.open('other')]
      await setMany(other, 50, 0, i => ['all', `own ${i}`])
      await setMany(mine, 50, 15, i => ['all', `own ${i}`])
      await elapse(40)
      await expectResidue(context, 0, '50 entries expired beside another prefix')
      await other.deleteByTag('own 7')
      await expectMiss(other, 'k7', "another prefix swept, deleteByTag('own 7')")
      await expectHit(other, 'k8', bytes('8'), 'another prefix swept')
    },
    ['residue', 'sweep'],
  ),

  must(
    'residue.sweep-keeps-the-living',
    'Expiry',
    'get set deleteByTag',
    'sweep away nothing that has not expired',
    async context => {
      const adapter = await context.open()
      await adapter.set('never', bytes('1'), { tags: ['t'] })
      await adapter.set('long', bytes('2'), { ttl: 60_000, tags: ['t'] })
      await adapter.set('longest', bytes('3'), { ttl: Number.MAX_SAFE_INTEGER, tags: ['t'] })
      await adapter.set('short', bytes('4'), { ttl: 10, tags: ['t'] })
      await elapse(30)
      await context.sweep()
      for (const [key, value] of [
        ['never', '1'],
        ['long', '2'],
        ['longest', '3'],
      ] as const)
        await expectHit(adapter, key, bytes(value), 'sweep')
      await adapter.deleteByTag('t')
      for (const key of ['never', 'long', 'longest', 'short'])
        await expectMiss(adapter, key, 'sweep, deleteByTag')
    },
    ['sweep'],
  ),

  must(
    'residue.sweep-beside-sets',
    'No orphans',
    'set deleteByTag',
    'not sweep away, nor make an orphan of, an expired entry that is set again meanwhile',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      for (const _ of context.rounds(15)) {
        await setMany(one, 40, 5, () => ['t'])
        await elapse(8)
        await Promise.all([context.sweep(), setMany(other, 40, 0, () => ['u']), context.sweep()])
        for (let i = 0; i < 40; i++)
          await expectHit(one, `k${i}`, bytes(`${i}`), 'expired, then set again beside a sweep')
        await one.deleteByTag('u')
        for (let i = 0; i < 40; i++)
          await expectMiss(
            one,
            `k${i}`,
            "expired, set again with ['u'] beside a sweep, deleteByTag('u')",
          )
      }
    },
    ['sweep'],
  ),
]
