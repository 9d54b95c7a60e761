import { expect, onTestFinished, test, vi } from 'vitest'
import type { Backend } from './backend.js'
import { GuardedAdapter } from './guarded-adapter.js'

/** A backend that answers at once, each call after a millisecond of work. */
function busyAdapter() {
  const work = (): undefined => {
    const end = performance.now() + 1
    while (performance.now() < end);
  }
  const fail = () => {
    work()
    throw new Error('no')
  }
  const backend = { get: work, set: work, delete: work, ping: fail, close() {} }
  return new GuardedAdapter({ sweepInterval: 0 }, () => backend as unknown as Backend)
}

test('a loop that awaits what is answered at once lets the event loop turn', async () => {
  const adapter = busyAdapter()
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  for (let i = 0; i < 50; i++) await adapter.get('k')
  expect(turns).toBeGreaterThan(2)
  turns = 0
  for (let i = 0; i < 50; i++) await adapter.set('k', new Uint8Array())
  expect(turns).toBeGreaterThan(2)
  turns = 0
  for (let i = 0; i < 50; i++) await adapter.ping().catch(() => {})
  expect(turns).toBeGreaterThan(2)
  turns = 0
  const loop = async () => {
    for (let i = 0; i < 10; i++) await adapter.delete('k')
  }
  await Promise.all(Array.from({ length: 10 }, loop))
  clearInterval(timer)
  expect(turns).toBeGreaterThan(2)
})

test('timers that a test holds still do not hold up calls', async () => {
  vi.useFakeTimers({ toFake: ['setImmediate', 'setTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const adapter = busyAdapter()
  for (let i = 0; i < 20; i++) await adapter.get('k')
})
