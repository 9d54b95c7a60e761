import type { Call } from '@l2/core'
import { expect, test } from 'vitest'
import { CallQueue, EVERYTHING, NOTHING, type Touches } from './sqlite-queue.js'

class FakeCall implements Call {
  abandoned = false
  readonly background = false
  #listener: (() => void) | undefined
  onAbandon(listener: () => void): void {
    this.#listener = listener
  }
  abandon(): void {
    this.abandoned = true
    this.#listener?.()
  }
}

/** A queue, a lock, and a log of the work that got through. */
function locked() {
  const queue = new CallQueue()
  const log: string[] = []
  const lock = { held: true, attempts: 0 }
  const work = (name: string) => () => {
    lock.attempts++
    if (lock.held) throw Object.assign(new Error('locked'), { code: 'SQLITE_BUSY' })
    log.push(name)
    return name
  }
  const run = (name: string, touches: Touches = name, call: Call = new FakeCall()) =>
    queue.run(call, touches, work(name))
  const read = (name: string, touches: Touches = name) =>
    queue.run(new FakeCall(), touches, () => name, true)
  return { queue, log, lock, run, read }
}

const elapse = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

test('work that meets no lock is done at once', () => {
  const { lock, run } = locked()
  lock.held = false
  expect(run('a')).toBe('a')
})

test('work that fails throws what it threw', () => {
  const fail = () => {
    throw new Error('no')
  }
  expect(() => new CallQueue().run(new FakeCall(), 'a', fail)).toThrow('no')
})

test('calls behind a lock run in order, and a failure stops no other', async () => {
  const { queue, log, lock, run } = locked()
  const fail = (): never => {
    throw new Error('no')
  }
  const calls = [run('a'), queue.run(new FakeCall(), 'b', fail), run('c')]
  const settled = Promise.allSettled(calls)
  await elapse(20)
  expect(log).toEqual([])
  // Only the first asks for the lock.
  expect(lock.attempts).toBeGreaterThan(2)
  lock.held = false
  expect((await settled).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
  ])
  expect(log).toEqual(['a', 'c'])
  expect(run('d')).toBe('d')
})

test('a read passes what does not concern it, and nothing else', async () => {
  const { lock, run, read } = locked()
  const waiting = [run('a'), run('ping', NOTHING)]
  expect(read('b')).toBe('b')
  const behind = [read('a')]
  expect(behind[0]).toBeInstanceOf(Promise)
  const bulk = run('bulk', EVERYTHING)
  behind.push(read('b'))
  expect(behind[1]).toBeInstanceOf(Promise)
  lock.held = false
  await Promise.all([...waiting, bulk])
  expect(await Promise.all(behind)).toEqual(['a', 'b'])
  expect(read('a')).toBe('a')
})

test('an abandoned call never runs, and leaves no timer behind', async () => {
  const { log, lock, run, read } = locked()
  const calls = [new FakeCall(), new FakeCall(), new FakeCall()]
  for (const [at, call] of calls.entries()) void run('a', at === 1 ? EVERYTHING : 'a', call)
  calls[1]?.abandon()
  expect(read('b')).toBe('b')
  calls[0]?.abandon()
  expect(read('a')).toBeInstanceOf(Promise)
  calls[2]?.abandon()
  calls[2]?.abandon()
  lock.held = false
  await elapse(20)
  expect(log).toEqual([])
  const { attempts } = lock
  await elapse(20)
  expect(lock.attempts).toBe(attempts)
})

test('many calls let the event loop turn between them', async () => {
  const { queue, lock, run } = locked()
  const first = run('first')
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  const busy = (): void => {
    const end = performance.now() + 2
    while (performance.now() < end);
  }
  const calls = Array.from({ length: 20 }, () => queue.run(new FakeCall(), 'a', busy))
  lock.held = false
  await Promise.all([first, ...calls])
  clearInterval(timer)
  expect(turns).toBeGreaterThan(3)
})
