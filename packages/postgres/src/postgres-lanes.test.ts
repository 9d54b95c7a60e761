import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Batched, Lanes } from './postgres-lanes.js'

interface Item extends Batched {
  readonly name: number
}

function newLanes(lanes: number, kinds = 1) {
  const batches: Item[][] = []
  const ends: (() => void)[] = []
  const all = new Lanes<Item>(lanes, kinds, batch => {
    batches.push(batch)
    return new Promise(resolve => ends.push(resolve))
  })
  let name = 0
  const call = { abandoned: false, background: false, onAbandon: () => {} }
  const add = (count: number, kind = 0, bytes = 0) => {
    for (let i = 0; i < count; i++) all.add({ call, kind, bytes, name: name++ })
  }
  const end = () => ends.shift()?.()
  return { add, end, batches, sizes: () => batches.splice(0).map(batch => batch.length) }
}

test('calls of one turn go out together, and in order', async () => {
  const { add, batches } = newLanes(2)
  add(5)
  await turn()
  expect(batches.map(batch => batch.map(({ name }) => name))).toEqual([[0, 1, 2, 3, 4]])
})

test('many are divided between the lanes that are free', async () => {
  const { add, sizes } = newLanes(2)
  add(50)
  await turn()
  expect(sizes()).toEqual([25, 25])
})

test('while a lane is busy, calls gather', async () => {
  const { add, end, sizes } = newLanes(1)
  add(1)
  await turn()
  add(3)
  await turn()
  add(4)
  await turn()
  expect(sizes()).toEqual([1])
  end()
  await turn()
  expect(sizes()).toEqual([7])
})

test('a batch has 256 calls at most, and 1 MiB, but one call at least', async () => {
  const { add, end, sizes } = newLanes(1)
  add(600)
  await turn()
  end()
  await turn()
  end()
  await turn()
  expect(sizes()).toEqual([256, 256, 88])
  end()
  await turn()
  add(3, 0, 700_000)
  add(1, 0, 5_000_000)
  add(2, 0, 100)
  for (let i = 0; i < 5; i++) {
    await turn()
    end()
  }
  expect(sizes()).toEqual([1, 1, 1, 1, 2])
})

test('kinds do not share a batch, and take turns', async () => {
  const { add, end, batches } = newLanes(1, 2)
  add(2, 0)
  add(2, 1)
  for (let i = 0; i < 3; i++) {
    await turn()
    end()
  }
  expect(batches.map(batch => batch.map(({ kind }) => kind)).sort()).toEqual([
    [0, 0],
    [1, 1],
  ])
})
