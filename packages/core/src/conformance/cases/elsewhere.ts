import { expectHit, expectMiss, expectTrue, sameBytes } from '../check.js'
import { clientsAtOnce, expectNoOrphans } from '../clients.js'
import { bytes, elapse } from '../context.js'
import { type Definition, must } from '../define.js'
import { History } from '../history.js'

/** Cases between this process and another. */
const between = (
  id: string,
  rule: string,
  operations: string,
  holds: string,
  run: Definition['run'],
): Definition => must(`elsewhere.${id}`, rule, operations, holds, run, ['openElsewhere'])

export const elsewhere: readonly Definition[] = [
  between(
    'set',
    'Order',
    'get set',
    'show another process what was set, and the other way round',
    async context => {
      const [here, there] = [await context.open(), await context.openElsewhere()]
      for (let i = 0; i < 10; i++) {
        await here.set('k', bytes(`here ${i}`), { tags: ['t'] })
        await expectHit(there, 'k', bytes(`here ${i}`), 'set here, get in another process')
        await there.set('k', bytes(`there ${i}`))
        await expectHit(here, 'k', bytes(`there ${i}`), 'set in another process, get here')
      }
    },
  ),

  between('bytes', 'Bytes', 'get set', 'carry any bytes between processes', async context => {
    const [here, there] = [await context.open(), await context.openElsewhere()]
    const value = new Uint8Array(2 ** 20).map((_, i) => i * 31 + (i >>> 8))
    await here.set('k', value)
    await expectHit(there, 'k', value, 'set of 1 MiB here, get in another process')
    await there.set('empty', new Uint8Array())
    await expectHit(here, 'empty', new Uint8Array(), 'set of 0 bytes in another process, get here')
  }),

  between('delete', 'Order', 'delete', 'delete for every process', async context => {
    const [here, there] = [await context.open(), await context.openElsewhere()]
    await here.set('k', bytes('v'), { tags: ['t'] })
    await expectHit(there, 'k', bytes('v'), 'set here')
    await there.delete('k')
    await expectMiss(here, 'k', 'delete in another process')
    await here.set('k', bytes('w'))
    await there.deleteByTag('t')
    await expectHit(there, 'k', bytes('w'), 'deleted in another process, set here without tags')
  }),

  between(
    'deleteByTag',
    'Tags',
    'deleteByTag',
    'delete by tag what another process has set',
    async context => {
      const [here, there] = [await context.open(), await context.openElsewhere()]
      for (let i = 0; i < 10; i++) {
        await here.set('k', bytes('v'), { tags: ['t', `t${i}`] })
        await there.set('l', bytes('w'), { tags: ['u', `t${i}`] })
        await there.deleteByTag('t')
        await expectMiss(here, 'k', "set here, deleteByTag('t') in another process")
        await expectHit(here, 'l', bytes('w'), "deleteByTag('t') leaves an entry with ['u']")
        await here.deleteByTag(`t${i}`)
        await expectMiss(there, 'l', 'set in another process, deleteByTag here')
      }
    },
  ),

  between(
    'retag',
    'Tags',
    'set deleteByTag',
    'answer to the latest tags, whichever process set them',
    async context => {
      const [here, there] = [await context.open(), await context.openElsewhere()]
      await here.set('k', bytes('1'), { tags: ['old', 'both'] })
      await there.set('k', bytes('2'), { tags: ['both', 'new'] })
      await here.deleteByTag('old')
      await expectHit(there, 'k', bytes('2'), "re-tagged in another process, deleteByTag('old')")
      await here.deleteByTag('new')
      await expectMiss(there, 'k', "re-tagged in another process, deleteByTag('new')")
    },
  ),

  between(
    'clear',
    'Isolation',
    'clear',
    'clear for every process, and its own prefix only',
    async context => {
      const [here, there] = [await context.open(), await context.openElsewhere()]
      const [mine, theirs] = [await context.open('other'), await context.openElsewhere('other')]
      await here.set('k', bytes('1'))
      await mine.set('k', bytes('2'))
      await there.clear()
      await expectMiss(here, 'k', 'clear in another process')
      await expectHit(theirs, 'k', bytes('2'), 'clear of another prefix in another process')
    },
  ),

  between('ttl', 'Expiry', 'get set', 'expire alike in every process', async context => {
    const [here, there] = [await context.open(), await context.openElsewhere()]
    await there.ping()
    const called = performance.now()
    await here.set('k', bytes('v'), { ttl: 400 })
    const seen = await there.get('k')
    const early = performance.now() - called < 390
    expectTrue(
      !early || sameBytes(seen, bytes('v')),
      'set with ttl 400, get in another process at once',
      'a hit',
      'undefined',
    )
    await elapse(410)
    await expectMiss(there, 'k', 'set with ttl 400, get in another process after 410 ms')
  }),

  between(
    'no-stale-reads',
    'Order',
    'get set delete deleteByTag clear',
    'never give a value after its invalidation was acknowledged in another process',
    async context => {
      const handles = [
        await context.open(),
        await context.openElsewhere(),
        await context.openElsewhere(),
      ]
      const history = new History()
      await clientsAtOnce(context, history, handles, 150)
      history.check()
    },
  ),

  between(
    'no-orphans',
    'No orphans',
    'set deleteByTag',
    'let each of its tags remove any entry that several processes fought over',
    async context => {
      const handles = [
        await context.open(),
        await context.openElsewhere(),
        await context.openElsewhere(),
      ]
      for (const _ of context.rounds(15)) {
        const history = new History()
        await clientsAtOnce(context, history, handles, 12)
        await expectNoOrphans(context, history, context.random.pick(handles))
        await handles[0]?.clear()
      }
    },
  ),
]
