import { expect, test } from 'vitest'
import { CallQueue, type Keyed } from './postgres-queue.js'

interface Sent extends Keyed {
  readonly name: string
}

function newQueue() {
  const sent: Sent[] = []
  const log: string[] = []
  const queue = new CallQueue<Sent>(item => {
    sent.push(item)
    log.push(`sent ${item.name}`)
  })
  const call = (name: string, key: string, writes: boolean) => {
    const state = { abandoned: false, background: false, onAbandon: () => {} }
    queue.add({
      name,
      key,
      writes,
      call: state,
      resolve: value => log.push(`done ${name}${value ? ` ${value[0]}` : ''}`),
      reject: error => log.push(`failed ${name}: ${(error as Error).message}`),
      era: undefined,
    })
    return state
  }
  const take = (name: string): Sent => {
    const at = sent.findIndex(item => item.name === name)
    const [item] = sent.splice(at, at < 0 ? 0 : 1)
    if (item === undefined) throw new Error(`${name} was not sent`)
    return item
  }
  const logged = () => log.splice(0)
  return {
    queue,
    logged,
    take,
    read: (name: string, key = 'k') => call(name, key, false),
    write: (name: string, key = 'k') => call(name, key, true),
  }
}

test('keys do not wait for each other', () => {
  const { write, logged } = newQueue()
  write('a', '1')
  write('b', '2')
  expect(logged()).toEqual(['sent a', 'sent b'])
})

test('a read waits for the write before it, and a write for the reads before it', () => {
  const { queue, read, write, take, logged } = newQueue()
  read('r1')
  read('r2')
  write('w')
  read('r3')
  expect(logged()).toEqual(['sent r1', 'sent r2'])
  queue.done(take('r1'), new Uint8Array([1]))
  expect(logged()).toEqual(['done r1 1'])
  queue.done(take('r2'))
  expect(logged()).toEqual(['done r2', 'sent w'])
  queue.done(take('w'))
  expect(logged()).toEqual(['done w', 'sent r3'])
})

test('a read does not overtake a write that waits', () => {
  const { read, write, logged } = newQueue()
  read('r1')
  write('w')
  read('r2')
  expect(logged()).toEqual(['sent r1'])
})

test('of writes that wait together the last is sent, for all', () => {
  const { queue, write, take, logged } = newQueue()
  for (const name of ['a', 'b', 'c', 'd']) write(name)
  expect(logged()).toEqual(['sent a'])
  queue.done(take('a'))
  expect(logged()).toEqual(['done a', 'sent d'])
  queue.done(take('d'))
  expect(logged()).toEqual(['done b', 'done c', 'done d'])
})

test('where the last is refused, the one before it is sent', () => {
  const { queue, write, take, logged } = newQueue()
  for (const name of ['a', 'b', 'c', 'd']) write(name)
  queue.done(take('a'))
  logged()
  queue.refused(take('d'), new Error('no'))
  expect(logged()).toEqual(['failed d: no', 'sent c'])
  queue.done(take('c'))
  expect(logged()).toEqual(['done b', 'done c'])
})

test('where the connection is lost, all that were to be done with it fail', () => {
  const { queue, write, take, logged } = newQueue()
  for (const name of ['a', 'b', 'c']) write(name)
  queue.done(take('a'))
  logged()
  queue.lost(take('c'), new Error('gone'))
  expect(logged()).toEqual(['failed b: gone', 'failed c: gone'])
})

test('what was given up while it waited is not sent', () => {
  const { queue, read, write, take, logged } = newQueue()
  write('a')
  const b = write('b')
  const c = write('c')
  const r = read('r')
  write('d')
  c.abandoned = true
  r.abandoned = true
  queue.done(take('a'))
  expect(logged()).toEqual(['sent a', 'done a', 'sent b'])
  b.abandoned = true
  queue.refused(take('b'), new Error('no'))
  expect(logged()).toEqual(['failed b: no', 'sent d'])
})

test('idle() waits for the calls made before it, and not for later ones', async () => {
  const { queue, read, write, take } = newQueue()
  await queue.idle()
  write('a', '1')
  read('b', '2')
  write('c', '1')
  let idle = false
  const waiting = queue.idle().then(() => {
    idle = true
  })
  write('later', '3')
  queue.done(take('a'))
  queue.done(take('c'))
  await new Promise(setImmediate)
  expect(idle).toBe(false)
  queue.lost(take('b'), new Error('gone'))
  await waiting
})
