import { expect, test } from 'vitest'
import { Lane } from '../src/lane.js'
import { derivedSeed, randomFrom } from '../src/random.js'
import { nextStep } from '../src/work.js'

const times = <T>(count: number, make: () => T) => Array.from({ length: count }, make)

const stepsOf = (seed: number) => {
  const random = randomFrom(seed)
  return times(500, () => nextStep(random))
}

test('the same seed makes the same calls, another one others', () => {
  expect(stepsOf(1)).toEqual(stepsOf(1))
  expect(stepsOf(1)).not.toEqual(stepsOf(2))
})

test('each round, place and incarnation has a seed of its own', () => {
  const seeds = [0, 1, 2].flatMap(round =>
    [0, 1, 2].flatMap(place => [0, 1, 2].map(life => derivedSeed(7, round, place, life))),
  )
  expect(new Set(seeds).size).toBe(27)
})

const faults = ['one', 'two', 'three'].map(name => ({ name, inject: async () => {} }))

const faultsOf = (seed: number) => {
  const lane = new Lane(seed, faults)
  return times(60, () => {
    const { fault, random, quiet } = lane.next()
    return [fault.name, quiet, random(1_000)]
  })
}

test('the same seed has the same faults come, each as often as others', () => {
  expect(faultsOf(1)).toEqual(faultsOf(1))
  expect(faultsOf(1)).not.toEqual(faultsOf(2))
  for (const { name } of faults)
    expect(faultsOf(1).filter(([each]) => each === name)).toHaveLength(20)
})
