import { expectHit, expectMiss, expectTrue, show } from '../check.js'
import { bytes } from '../context.js'
import { type Definition, must } from '../define.js'

export const idempotence: readonly Definition[] = [
  must(
    'idempotence.delete',
    'Miss',
    'delete',
    'delete what is not there, and again, without an error',
    async context => {
      const adapter = await context.open()
      await adapter.delete('never set')
      await adapter.set('k', bytes('v'), { tags: ['t'] })
      await adapter.delete('k')
      await adapter.delete('k')
      await expectMiss(adapter, 'k', 'set, delete, delete')
      await adapter.deleteByTag('t')
    },
  ),

  must(
    'idempotence.deleteByTag',
    'Tags',
    'deleteByTag',
    'delete by a tag that nothing carries, and again',
    async context => {
      const adapter = await context.open()
      await adapter.deleteByTag('never used')
      await adapter.set('k', bytes('v'), { tags: ['t'] })
      await adapter.deleteByTag('t')
      await adapter.deleteByTag('t')
      await expectMiss(adapter, 'k', 'set, deleteByTag, deleteByTag')
    },
  ),

  must(
    'idempotence.clear',
    'Isolation',
    'clear',
    'clear an empty cache, and again',
    async context => {
      const adapter = await context.open()
      await adapter.clear()
      await adapter.set('k', bytes('v'))
      await adapter.clear()
      await adapter.clear()
      await expectMiss(adapter, 'k', 'set, clear, clear')
    },
  ),

  must('idempotence.set', 'Order', 'set', 'store the same entry again', async context => {
    const adapter = await context.open()
    for (let i = 0; i < 5; i++) await adapter.set('k', bytes('v'), { ttl: 60_000, tags: ['t'] })
    await expectHit(adapter, 'k', bytes('v'), 'the same set five times')
    await adapter.delete('k')
    await expectMiss(adapter, 'k', 'the same set five times, delete')
  }),

  must(
    'idempotence.ping',
    'ping',
    'ping',
    'answer ping, and leave nothing behind',
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('v'))
      for (let i = 0; i < 3; i++) await adapter.ping()
      await expectHit(adapter, 'k', bytes('v'), 'ping three times')
    },
  ),

  must(
    'idempotence.nothing-to-say',
    'Misuse',
    'set delete deleteByTag clear ping',
    'resolve writes with undefined',
    async context => {
      const adapter = await context.open()
      const calls: Record<string, () => Promise<unknown>> = {
        set: () => adapter.set('k', bytes('v')),
        delete: () => adapter.delete('k'),
        deleteByTag: () => adapter.deleteByTag('t'),
        clear: () => adapter.clear(),
        ping: () => adapter.ping(),
      }
      for (const [name, call] of Object.entries(calls)) {
        const seen = await call()
        expectTrue(seen === undefined, `await ${name}()`, 'undefined', show(seen))
      }
    },
  ),
]
