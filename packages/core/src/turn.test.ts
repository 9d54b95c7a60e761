import { expect, test } from 'vitest'
import type { Backend } from './backend.js'
import { GuardedAdapter } from './guarded-adapter.js'

/** A backend that answers at once, each call after a millisecond of work. */
function busyAdapter() {
  const work = (): undefined => {
    const end = performance.now() + 1
    while (performance.now() < end);
  }
  const backend = { get: work, set: work, delete: work, ping: work, close() {} }
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
  const loop = async () => {
    for (let i = 0; i < 10; i++) await adapter.delete('k')
  }
  await Promise.all(Array.from({ length: 10 }, loop))
  clearInterval(timer)
  expect(turns).toBeGreaterThan(2)
})
