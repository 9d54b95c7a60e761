import type { Call } from '@l2/core'
import { expect, test } from 'vitest'
import { CallQueue, EVERYTHING, NOTHING, type Touches, type Transactions } from './sqlite-queue.js'

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

const busy = () => Object.assign(new Error('locked'), { code: 'SQLITE_BUSY' })

/** Keeps what was committed, and counts attempts to begin. */
class FakeTransactions implements Transactions {
  isOpen = true
  held = false
  attempts = 0
  beginning: Error | undefined
  committing: Error | undefined
  /** Whether something is done about failures, one after another; not after the last. */
  readonly reliefs: boolean[] = []
  /** How many slices it takes to make room. */
  slices = 0
  /** The work of each transaction. */
  readonly committed: string[][] = []
  #log: string[] = []

  begin(): void {
    this.attempts++
    if (this.beginning !== undefined) throw this.beginning
    if (this.held) throw busy()
  }
  did(name: string): void {
    this.#log.push(name)
  }
  commit(): void {
    if (this.committing !== undefined) throw this.committing
    this.committed.push(this.#log)
    this.#log = []
  }
  rollback(): void {
    this.#log = []
  }
  relieve(): boolean {
    return this.reliefs.shift() ?? false
  }
  makeRoom(isWanted: boolean): boolean {
    return isWanted && this.slices-- > 0
  }
}

function opened() {
  const transactions = new FakeTransactions()
  const queue = new CallQueue(transactions)
  const write = (name: string, touches: Touches = name, call: Call = new FakeCall()) =>
    queue.write(call, touches, () => {
      transactions.did(name)
      return name
    })
  const failing = (error: Error) =>
    queue.write(new FakeCall(), 'failing', () => {
      transactions.did('failing')
      throw error
    })
  const read = (name: string, touches: Touches = name) =>
    queue.read(new FakeCall(), touches, () => name)
  return { transactions, queue, write, failing, read }
}

const elapse = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

test('a lone write is done at once', async () => {
  const { transactions, write } = opened()
  expect(write('a')).toBe('a')
  await undefined
  expect(write('b')).toBe('b')
  expect(transactions.committed).toEqual([['a'], ['b']])
})

test('writes that come along with another share a transaction, in order', async () => {
  const { transactions, write } = opened()
  expect(await Promise.all(['a', 'b', 'a', 'c'].map(name => write(name)))).toEqual([
    'a',
    'b',
    'a',
    'c',
  ])
  expect(transactions.committed).toEqual([['a'], ['b', 'a', 'c']])
})

test('one that fails is undone alone', async () => {
  const { transactions, write, failing } = opened()
  const error = new Error('no')
  write('lone')
  const settled = await Promise.allSettled([write('a'), failing(error), write('b')])
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(settled[1]).toMatchObject({ reason: error })
  expect(transactions.committed).toEqual([['lone'], ['a'], ['b']])
})

test('where the commit fails, each hears of its own outcome', async () => {
  const { transactions, write } = opened()
  write('lone')
  transactions.committing = new Error('full')
  const first = Promise.resolve(write('a'))
  // Once the first has its answer, there is room again.
  first.catch(() => (transactions.committing = undefined))
  const settled = await Promise.allSettled([first, write('b')])
  expect(settled[0]).toMatchObject({ reason: new Error('full') })
  expect(transactions.committed.flat()).not.toContain('a')
})

test.each([
  [[true], 1, 'fulfilled', 2],
  [[true, true], 2, 'fulfilled', 3],
  [[true, true, true], 9, 'rejected', 3],
  [[true, false], 9, 'rejected', 2],
] as const)('relief %j of %i failures', async (reliefs, failures, status, attempts) => {
  const { transactions, queue } = opened()
  transactions.reliefs.push(...reliefs)
  transactions.slices = 3
  let left: number = failures
  const call = queue.write(new FakeCall(), 'a', () => {
    if (left-- > 0) throw new Error('full')
    transactions.did('a')
  })
  expect((await Promise.allSettled([call]))[0]?.status).toBe(status)
  expect(transactions.attempts).toBe(attempts)
  // All were done before the next attempt.
  expect(transactions.slices).toBeLessThan(0)
})

test('where no transaction can begin, all that need one hear why, and reads go on', async () => {
  const { transactions, write, read } = opened()
  transactions.beginning = new Error('read-only')
  expect(() => write('lone')).toThrow('read-only')
  const calls = [write('a'), write('b')]
  const behind = read('a')
  expect(behind).toBeInstanceOf(Promise)
  const settled = await Promise.allSettled(calls)
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await behind).toBe('a')
  // One for the lone write, one for all.
  expect(transactions.attempts).toBe(2)
})

test('writes behind a lock run in order, and only the first asks for it', async () => {
  const { transactions, write } = opened()
  transactions.held = true
  const calls = [write('a'), write('b')]
  await elapse(20)
  calls.push(write('c'))
  await elapse(20)
  expect(transactions.committed).toEqual([])
  expect(transactions.attempts).toBeGreaterThan(2)
  transactions.held = false
  expect(await Promise.all(calls)).toEqual(['a', 'b', 'c'])
  expect(transactions.committed).toEqual([['a', 'b', 'c']])
})

test('a read passes writes that do not concern it, and no other', async () => {
  const { transactions, write, read } = opened()
  transactions.held = true
  const waiting = [write('a'), write('ping', NOTHING)]
  expect(read('b')).toBe('b')
  const behind = [read('a')]
  const bulk = write('bulk', EVERYTHING)
  behind.push(read('b'))
  for (const one of behind) expect(one).toBeInstanceOf(Promise)
  await elapse(20)
  transactions.held = false
  await Promise.all([...waiting, bulk])
  expect(await Promise.all(behind)).toEqual(['a', 'b'])
  expect(read('a')).toBe('a')
})

test('a read before the file is open waits for the turn, then passes a lock', async () => {
  const { transactions, write, read } = opened()
  transactions.isOpen = false
  transactions.held = true
  const locked = write('a')
  expect(await read('b')).toBe('b')
  transactions.held = false
  await locked
})

test('an abandoned call never runs', async () => {
  const { transactions, write, read } = opened()
  transactions.held = true
  const calls = [new FakeCall(), new FakeCall(), new FakeCall()]
  for (const [at, call] of calls.entries()) void write('a', at === 1 ? EVERYTHING : 'a', call)
  calls[1]?.abandon()
  expect(read('b')).toBe('b')
  calls[0]?.abandon()
  expect(read('a')).toBeInstanceOf(Promise)
  calls[2]?.abandon()
  calls[2]?.abandon()
  transactions.held = false
  await elapse(20)
  expect(transactions.committed).toEqual([])
  const { attempts } = transactions
  await elapse(20)
  expect(transactions.attempts).toBe(attempts)
})

test('many writes let the event loop turn', async () => {
  const { queue } = opened()
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  const work = (): void => {
    const end = performance.now() + 2
    while (performance.now() < end);
  }
  await Promise.all(Array.from({ length: 20 }, () => queue.write(new FakeCall(), 'a', work)))
  clearInterval(timer)
  expect(turns).toBeGreaterThan(3)
})
