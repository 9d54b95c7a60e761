import type { Call } from '@l2/core'
import { ReplyError } from 'ioredis'
import { expect, test } from 'vitest'
import { CallQueue } from './redis-queue.js'

interface Sent {
  readonly name: string
  readonly answer: (value?: unknown) => void
  readonly fail: (error: Error) => void
}

/** A queue, what it has sent, and calls that are made of it. */
function setUp(readsMove = false, isConnected = true) {
  const queue = new CallQueue(readsMove)
  const sent: Sent[] = []
  const outcomes: string[] = []
  const make = (kind: 'read' | 'write', key: string, name: string) => {
    const call = { abandoned: false, background: false, onAbandon: () => {} }
    const send = (one: Call) =>
      new Promise<unknown>((resolve, reject) => {
        // As a connection does that sends something.
        if (isConnected) one.onAbandon(() => {})
        sent.push({ name, answer: resolve, fail: reject })
      })
    queue[kind](key, call, send).then(
      value => outcomes.push(`${name}: ${value}`),
      (error: Error) => outcomes.push(`${name} failed: ${error.message}`),
    )
    return call
  }
  const names = () => sent.map(({ name }) => name)
  const turn = () => new Promise(resolve => setImmediate(resolve))
  return { queue, sent, outcomes, make, names, turn }
}

test('calls of other keys, and reads of keys that nothing is written to, are sent at once', () => {
  const { make, names } = setUp()
  make('write', 'a', 'w1')
  make('write', 'b', 'w2')
  make('read', 'c', 'r1')
  make('read', 'c', 'r2')
  make('write', 'c', 'w3')
  expect(names()).toEqual(['w1', 'w2', 'r1', 'r2', 'w3'])
})

test('calls of a key wait for the write before them, whatever becomes of it', async () => {
  const { make, names, sent, outcomes, turn } = setUp()
  make('write', 'a', 'w1')
  make('read', 'a', 'r1')
  make('read', 'a', 'r2')
  make('write', 'a', 'w2')
  make('read', 'a', 'r3')
  expect(names()).toEqual(['w1'])
  sent[0]?.fail(new Error('lost'))
  await turn()
  expect(names()).toEqual(['w1', 'r1', 'r2'])
  sent[1]?.answer('x')
  await turn()
  expect(names()).toEqual(['w1', 'r1', 'r2'])
  sent[2]?.answer('y')
  await turn()
  sent[3]?.answer()
  await turn()
  expect(names()).toEqual(['w1', 'r1', 'r2', 'w2', 'r3'])
  sent[4]?.answer('z')
  await turn()
  expect(outcomes).toEqual(['w1 failed: lost', 'r1: x', 'r2: y', 'w2: undefined', 'r3: z'])
})

test('of writes that wait together the last is sent, for all', async () => {
  const { make, names, sent, outcomes, turn } = setUp()
  for (const name of ['w1', 'w2', 'w3', 'w4']) make('write', 'a', name)
  sent[0]?.answer('ok')
  await turn()
  for (const name of ['w5', 'w6']) make('write', 'a', name)
  expect(names()).toEqual(['w1', 'w4'])
  sent[1]?.answer('done')
  await turn()
  expect(outcomes.sort()).toEqual(['w1: ok', 'w2: done', 'w3: done', 'w4: done'])
  expect(names()).toEqual(['w1', 'w4', 'w6'])
  sent[2]?.fail(new Error('lost'))
  await turn()
  expect(outcomes.slice(4).sort()).toEqual(['w5 failed: lost', 'w6 failed: lost'])
  expect(names()).toHaveLength(3)
})

test('where Redis refuses the last, the one before it is sent, for those before that', async () => {
  const { make, names, sent, outcomes, turn } = setUp()
  for (const name of ['w1', 'w2', 'w3', 'w4', 'w5']) make('write', 'a', name)
  make('read', 'a', 'r1')
  sent[0]?.answer('ok')
  await turn()
  sent[1]?.fail(new ReplyError('too large'))
  await turn()
  expect(outcomes).toEqual(['w1: ok', 'w5 failed: too large'])
  sent[2]?.fail(new ReplyError('full'))
  await turn()
  expect(names()).toEqual(['w1', 'w5', 'w4', 'w3'])
  sent[3]?.answer('done')
  await turn()
  expect(outcomes.slice(2).sort()).toEqual(['w2: done', 'w3: done', 'w4 failed: full'])
  expect(names()).toEqual(['w1', 'w5', 'w4', 'w3', 'r1'])
})

test('where Redis refuses the connection, those that wait together make one attempt', async () => {
  const { make, names, sent, outcomes, turn } = setUp(false, false)
  for (const name of ['w1', 'w2', 'w3']) make('write', 'a', name)
  sent[0]?.fail(new ReplyError('password'))
  await turn()
  sent[1]?.fail(new ReplyError('password'))
  await turn()
  expect(names()).toEqual(['w1', 'w3'])
  expect(outcomes.slice(1).sort()).toEqual(['w2 failed: password', 'w3 failed: password'])
})

test('where the last is abandoned on its way and fails, the one before it is sent', async () => {
  const { make, names, sent, outcomes, turn } = setUp()
  make('write', 'a', 'w1')
  make('write', 'a', 'w2')
  const third = make('write', 'a', 'w3')
  const fourth = make('write', 'a', 'w4')
  sent[0]?.answer('ok')
  await turn()
  third.abandoned = true
  fourth.abandoned = true
  sent[1]?.fail(new Error('given up'))
  await turn()
  expect(names()).toEqual(['w1', 'w4', 'w2'])
  sent[2]?.fail(new Error('lost'))
  await turn()
  expect(outcomes).toEqual(['w1: ok', 'w4 failed: given up', 'w2 failed: lost'])
  make('write', 'a', 'w5')
  expect(names()).toEqual(['w1', 'w4', 'w2', 'w5'])
})

test('what was abandoned is not sent, and one that was not takes its place', async () => {
  const { make, names, sent, turn } = setUp()
  make('write', 'a', 'w1')
  make('write', 'a', 'w2')
  make('write', 'a', 'w3').abandoned = true
  make('read', 'a', 'r1').abandoned = true
  make('write', 'a', 'w4').abandoned = true
  sent[0]?.answer()
  await turn()
  expect(names()).toEqual(['w1', 'w2'])
  sent[1]?.answer()
  await turn()
  make('write', 'a', 'w5')
  expect(names()).toEqual(['w1', 'w2', 'w5'])
})

test('idle waits for what has been called, and for nothing that comes later', async () => {
  const { queue, make, sent, turn } = setUp()
  make('write', 'a', 'w1')
  make('write', 'a', 'w2')
  make('write', 'b', 'w3')
  let idle = false
  queue.idle().then(() => (idle = true))
  make('read', 'a', 'r1')
  make('write', 'c', 'w4')
  const answer = async (name: string) => {
    sent.find(one => one.name === name)?.answer()
    await turn()
  }
  await answer('w1')
  await answer('w3')
  expect(idle).toBe(false)
  await answer('w2')
  expect(idle).toBe(true)
  await new CallQueue().idle()
})

test('where reads may be sent again, younger writes wait for them, and reads for no read', async () => {
  const { make, names, sent, turn, queue } = setUp(true)
  make('read', 'a', 'r1')
  make('read', 'a', 'r2')
  make('write', 'a', 'w1')
  make('read', 'a', 'r3')
  make('read', 'b', 'r4')
  expect(names()).toEqual(['r1', 'r2', 'r4'])
  let idle = false
  queue.idle().then(() => {
    idle = true
  })
  sent[1]?.answer()
  await turn()
  expect(names()).toEqual(['r1', 'r2', 'r4'])
  sent[0]?.answer()
  await turn()
  expect(names()).toEqual(['r1', 'r2', 'r4', 'w1'])
  sent[3]?.answer()
  await turn()
  expect(names()).toEqual(['r1', 'r2', 'r4', 'w1', 'r3'])
  // Reads that waited are a group of their own: others join the next.
  make('read', 'a', 'r5')
  expect(names()).toHaveLength(5)
  sent[4]?.answer()
  await turn()
  sent[5]?.answer()
  expect(idle).toBe(false)
  sent[2]?.answer()
  await turn()
  expect(idle).toBe(true)
  // Nothing is left of them.
  make('write', 'a', 'w2')
  expect(names().at(-1)).toBe('w2')
})
