import {
  expectHit,
  expectMiss,
  expectMisses,
  expectRejection,
  expectTrue,
  held,
  show,
} from '../check.js'
import { bytes } from '../context.js'
import { type Definition, must } from '../define.js'
import type { ClosableAdapter } from '../types.js'

type Call = (adapter: ClosableAdapter, signal: AbortSignal) => Promise<unknown>

const CALLS: Readonly<Record<string, Call>> = {
  get: (adapter, signal) => adapter.get('k', { signal }),
  set: (adapter, signal) => adapter.set('k', bytes('aborted'), { tags: ['aborted'], signal }),
  delete: (adapter, signal) => adapter.delete('k', { signal }),
  deleteByTag: (adapter, signal) => adapter.deleteByTag('t', { signal }),
  clear: (adapter, signal) => adapter.clear({ signal }),
  ping: (adapter, signal) => adapter.ping({ signal }),
}

export const abort: readonly Definition[] = [
  must(
    'abort.before',
    'Never hang',
    'get set delete deleteByTag clear ping',
    "reject with the signal's reason, having done nothing, when it is aborted already",
    async context => {
      const adapter = await context.open()
      await adapter.set('k', bytes('v'), { tags: ['t'] })
      for (const reason of [new Error('gone'), 'a string', null, 0]) {
        for (const [name, call] of Object.entries(CALLS)) {
          const done = `${name} with a signal aborted before, reason ${show(reason)}`
          await expectRejection(() => call(adapter, AbortSignal.abort(reason)), { reason }, done)
          await expectHit(adapter, 'k', bytes('v'), done)
        }
      }
    },
  ),

  must(
    'abort.default-reason',
    'Never hang',
    'get',
    'pass an AbortError or TimeoutError of the platform on',
    async context => {
      const adapter = await context.open()
      for (const signal of [
        AbortSignal.abort(),
        AbortSignal.abort(new DOMException('late', 'TimeoutError')),
      ])
        await expectRejection(
          () => adapter.get('k', { signal }),
          { reason: signal.reason },
          'get, aborted before',
        )
    },
  ),

  must(
    'abort.during',
    'Never hang',
    'get set delete deleteByTag clear ping',
    'succeed or reject with the reason, and nothing else, when the signal aborts during the call',
    async context => {
      const adapter = await context.open()
      for (const [name, call] of Object.entries(CALLS)) {
        const controller = new AbortController()
        const reason = new Error('gone')
        const promise = call(adapter, controller.signal)
        controller.abort(reason)
        const error = await promise.then(
          () => reason,
          (thrown: unknown) => thrown,
        )
        expectTrue(
          error === reason,
          `${name}, aborted during`,
          'success or the reason',
          show(error),
        )
      }
    },
  ),

  must(
    'abort.during-set-is-whole',
    'No orphans',
    'set',
    'leave an aborted set done or not done, never half',
    async context => {
      const adapter = await context.open()
      for (let i = 0; i < 20; i++) {
        const controller = new AbortController()
        await adapter.set('k', bytes('before'), { tags: ['before'] })
        const promise = adapter.set('k', bytes('after'), {
          tags: ['after'],
          signal: controller.signal,
        })
        if (i % 2) await Promise.resolve()
        controller.abort()
        await promise.catch(() => {})
        await adapter.deleteByTag('before')
        await adapter.deleteByTag('after')
        await expectMiss(adapter, 'k', 'set aborted during, deleteByTag of the old and the new tag')
      }
    },
    ['tags'],
  ),

  must(
    'abort.after',
    'Never hang',
    'set',
    'not mind a signal that aborts after the call',
    async context => {
      const adapter = await context.open()
      const controller = new AbortController()
      await adapter.set('k', bytes('v'), { signal: controller.signal })
      controller.abort()
      await expectHit(adapter, 'k', bytes('v'), 'set, then its signal aborted')
    },
  ),

  must(
    'abort.beside-others',
    'Never hang',
    'get set',
    'fail no other call of the same turn',
    async context => {
      const adapter = await context.open()
      const controller = new AbortController()
      const { signal } = controller
      const mine = Array.from({ length: 20 }, (_, i) =>
        held(adapter.set(`mine ${i}`, bytes('v'), { signal })),
      )
      const others = Array.from({ length: 20 }, (_, i) =>
        held(adapter.set(`other ${i}`, bytes(`${i}`))),
      )
      const reads = Array.from({ length: 20 }, (_, i) => held(adapter.get(`other ${i}`)))
      controller.abort()
      await Promise.allSettled(mine)
      await Promise.all(others)
      await Promise.all(reads)
      for (let i = 0; i < 20; i++)
        await expectHit(
          adapter,
          `other ${i}`,
          bytes(`${i}`),
          'sets of one turn, every second one aborted',
        )
    },
  ),

  must(
    'abort.one-signal-for-many',
    'Never hang',
    'get',
    'take one signal for 1 000 calls without a warning of Node',
    async context => {
      const adapter = await context.open()
      const warnings: string[] = []
      const onWarning = (warning: Error): void => void warnings.push(warning.message)
      process.on('warning', onWarning)
      const { signal } = new AbortController()
      await Promise.all(Array.from({ length: 1_000 }, (_, i) => adapter.get(`k${i}`, { signal })))
      // Warnings are emitted in a later turn.
      await new Promise(resolve => setTimeout(resolve, 10))
      process.off('warning', onWarning)
      const leaks = warnings.filter(message => message.includes('AbortSignal'))
      expectTrue(leaks.length === 0, '1 000 gets with one signal', 'no warning', leaks.join())
    },
  ),

  must(
    'abort.bulk-can-be-repeated',
    'Never hang',
    'deleteByTag clear',
    'finish a given-up deleteByTag or clear when it is repeated',
    async context => {
      const adapter = await context.open()
      const keys = Array.from({ length: 1_500 }, (_, i) => `k${i}`)
      for (const again of ['deleteByTag', 'clear'] as const) {
        await Promise.all(keys.map(key => adapter.set(key, bytes(key), { tags: ['t'] })))
        const controller = new AbortController()
        const { signal } = controller
        const call =
          again === 'clear' ? adapter.clear({ signal }) : adapter.deleteByTag('t', { signal })
        setImmediate(() => controller.abort())
        await call.catch(() => {})
        await (again === 'clear' ? adapter.clear() : adapter.deleteByTag('t'))
        await expectMisses(adapter, keys, `${again} aborted during, ${again} again`)
      }
    },
  ),
]
