import { expectHit, expectMiss } from '../check.js'
import { bytes } from '../context.js'
import { type Definition, must } from '../define.js'

export const sharing: readonly Definition[] = [
  must(
    'sharing.set',
    'Order',
    'get set',
    'let another handle see a set that has resolved',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      for (let i = 0; i < 20; i++) {
        await one.set('k', bytes(`${i}`))
        await expectHit(other, 'k', bytes(`${i}`), 'set by one handle, get by another')
      }
    },
  ),

  must(
    'sharing.delete',
    'Order',
    'delete',
    'let another handle see a delete that has resolved',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      for (let i = 0; i < 20; i++) {
        await one.set('k', bytes('v'), { tags: ['t'] })
        await expectHit(other, 'k', bytes('v'), 'set by one handle, get by another')
        await one.delete('k')
        await expectMiss(other, 'k', 'delete by one handle, get by another')
      }
    },
  ),

  must(
    'sharing.deleteByTag',
    'Order',
    'deleteByTag',
    'remove by tag what another handle has set',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      for (let i = 0; i < 20; i++) {
        await one.set('k', bytes('v'), { tags: ['t'] })
        await one.set('l', bytes('w'), { tags: ['u'] })
        await other.deleteByTag('t')
        await expectMiss(one, 'k', 'set by one handle, deleteByTag by another, get by the first')
        await expectHit(one, 'l', bytes('w'), 'deleteByTag of another tag by another handle')
      }
    },
  ),

  must(
    'sharing.retag',
    'Tags',
    'set deleteByTag',
    'answer to the latest tags, whichever handle set them',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      await one.set('k', bytes('1'), { tags: ['old'] })
      await other.set('k', bytes('2'), { tags: ['new'] })
      await one.deleteByTag('old')
      await expectHit(one, 'k', bytes('2'), "re-tagged by another handle, deleteByTag('old')")
      await one.deleteByTag('new')
      await expectMiss(other, 'k', "re-tagged by another handle, deleteByTag('new')")
    },
  ),

  must(
    'sharing.clear',
    'Isolation',
    'clear',
    'clear what another handle has set',
    async context => {
      const [one, other] = [await context.open(), await context.open()]
      for (let i = 0; i < 50; i++) await one.set(`k${i}`, bytes('v'), { tags: ['t'] })
      await other.clear()
      for (let i = 0; i < 50; i++) await expectMiss(one, `k${i}`, 'clear by another handle')
    },
  ),

  must(
    'sharing.opened-later',
    'Order',
    'get deleteByTag',
    'show a handle that is opened later what is there',
    async context => {
      const one = await context.open()
      await one.set('k', bytes('v'), { ttl: 60_000, tags: ['t'] })
      const later = await context.open()
      await expectHit(later, 'k', bytes('v'), 'set, another handle opened, get by it')
      await later.deleteByTag('t')
      await expectMiss(one, 'k', 'deleteByTag by a handle opened later')
    },
  ),
]
