import { expectHit, expectMiss } from '../check.js'
import { bytes, elapse } from '../context.js'
import { type Definition, must } from '../define.js'

/** Of the group `tags`: entries that are set again, with other tags or after they were removed. */
export const retagging: readonly Definition[] = [
  must(
    'tags.old-tags-go',
    'Tags',
    'set deleteByTag',
    'answer to the tags of the latest set only',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('1'), { tags: ['old', 'both'] })
      await adapter.set('k', bytes('2'), { tags: ['both', 'new'] })
      await adapter.deleteByTag('old')
      await expectHit(
        adapter,
        'k',
        bytes('2'),
        "tags ['old', 'both'], then ['both', 'new'], deleteByTag('old')",
      )
      await adapter.deleteByTag('new')
      await expectMiss(adapter, 'k', "deleteByTag('new')")
    },
  ),

  must(
    'tags.untagged-again',
    'Tags',
    'set deleteByTag',
    'drop all tags when set again without',
    async context => {
      const adapter = await context.open()
      for (const options of [undefined, {}, { tags: [] }, { tags: undefined }]) {
        await adapter.set('k', bytes('1'), { tags: ['t'] })
        await adapter.set('k', bytes('2'), options)
        await adapter.deleteByTag('t')
        await expectHit(
          adapter,
          'k',
          bytes('2'),
          "tags ['t'], then set without tags, deleteByTag('t')",
        )
      }
    },
  ),

  must(
    'tags.tagged-later',
    'Tags',
    'set deleteByTag',
    'index an entry that was set without tags first',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('1'))
      await adapter.set('k', bytes('2'), { tags: ['t'] })
      await adapter.deleteByTag('t')
      await expectMiss(adapter, 'k', "set without tags, then with ['t'], deleteByTag('t')")
    },
  ),

  must(
    'tags.same-tags-again',
    'No orphans',
    'set deleteByTag',
    'find an entry set again with the same tags',
    async context => {
      const adapter = await context.open()
      for (let i = 0; i < 3; i++) await adapter.set('k', bytes(`${i}`), { tags: ['t', 'u'] })
      await adapter.deleteByTag('t')
      await expectMiss(adapter, 'k', "set three times with ['t', 'u'], deleteByTag('t')")
    },
  ),

  must(
    'tags.there-and-back',
    'No orphans',
    'set deleteByTag',
    'find an entry whose tags went away and came back',
    async context => {
      const adapter = await context.open()
      const history = [['a'], ['b'], ['a'], [], ['a', 'b'], ['b'], ['b', 'a']]
      for (const tags of history) await adapter.set('k', bytes(tags.join()), { tags })
      await adapter.deleteByTag('a')
      await expectMiss(adapter, 'k', `tags went ${JSON.stringify(history)}, deleteByTag('a')`)
    },
  ),

  must(
    'tags.after-delete',
    'Tags',
    'set delete deleteByTag',
    'forget the tags of a deleted entry',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('1'), { tags: ['t'] })
      await adapter.delete('k')
      await adapter.set('k', bytes('2'))
      await adapter.deleteByTag('t')
      await expectHit(
        adapter,
        'k',
        bytes('2'),
        "tags ['t'], delete, set without tags, deleteByTag('t')",
      )
    },
  ),

  must(
    'tags.after-deleteByTag',
    'Tags',
    'set deleteByTag',
    'forget the other tags of an entry removed by tag',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('1'), { tags: ['t', 'u'] })
      await adapter.deleteByTag('t')
      await adapter.set('k', bytes('2'))
      await adapter.deleteByTag('u')
      await expectHit(
        adapter,
        'k',
        bytes('2'),
        "tags ['t', 'u'], deleteByTag('t'), set without, deleteByTag('u')",
      )
    },
  ),

  must(
    'tags.after-clear',
    'Tags',
    'set deleteByTag clear',
    'forget all tags when cleared',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('1'), { tags: ['t'] })
      await adapter.clear()
      await adapter.set('k', bytes('2'))
      await adapter.deleteByTag('t')
      await expectHit(
        adapter,
        'k',
        bytes('2'),
        "tags ['t'], clear, set without tags, deleteByTag('t')",
      )
    },
  ),

  must(
    'tags.set-again-after',
    'Order',
    'set deleteByTag',
    'keep an entry that is set after deleteByTag',
    async context => {
      const adapter = await context.open()
      // Often, so that some fall into one ms.
      for (let i = 0; i < 20; i++) {
        await adapter.set('k', bytes('1'), { tags: ['t'] })
        await adapter.deleteByTag('t')
        await adapter.set('k', bytes('2'), { tags: ['t'] })
        await expectHit(adapter, 'k', bytes('2'), "deleteByTag('t'), then set with ['t'] at once")
      }
      await adapter.deleteByTag('t')
      await expectMiss(adapter, 'k', "deleteByTag('t') once more")
    },
  ),

  must(
    'tags.outlives-its-first-ttl',
    'No orphans',
    'set deleteByTag',
    'find an entry whose second set lives longer',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('1'), { ttl: 15, tags: ['t'] })
      await adapter.set('k', bytes('2'), { tags: ['t'] })
      await elapse(40)
      await expectHit(adapter, 'k', bytes('2'), 'ttl 15, then none, 40 ms')
      await adapter.deleteByTag('t')
      await expectMiss(adapter, 'k', "ttl 15, then none, 40 ms, deleteByTag('t')")
    },
  ),

  must(
    'tags.every-order',
    'No orphans',
    'set deleteByTag',
    'follow re-tagging in every order',
    async context => {
      const adapter = await context.open()
      const choices = [[], ['a'], ['b'], ['a', 'b']]
      for (const first of choices)
        for (const second of choices)
          for (const third of choices) {
            const history = JSON.stringify([first, second, third])
            for (const tag of ['a', 'b']) {
              for (const [i, tags] of [first, second, third].entries())
                await adapter.set('k', bytes(`${i}`), { tags })
              await adapter.deleteByTag(tag)
              const done = `tags went ${history}, deleteByTag('${tag}')`
              if (third.includes(tag)) await expectMiss(adapter, 'k', done)
              else await expectHit(adapter, 'k', bytes('2'), done)
            }
          }
    },
  ),
]
