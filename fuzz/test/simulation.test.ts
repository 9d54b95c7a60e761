import { randomInt } from 'node:crypto'
import { expect, onTestFailed, test } from 'vitest'
import { check } from '../src/check.js'
import type { Call } from '../src/history.js'
import { randomFrom } from '../src/random.js'
import { simulatedHistory } from './support/simulation.js'

const seed = Number(process.env['L2_SEED'] ?? randomInt(2 ** 31))
const RULES = { timeout: 5_000 }

function tellSeed(): void {
  onTestFailed(() => console.error(`seed: ${seed}; set L2_SEED to replay it`))
}

test('accepts what an adapter that keeps the contract answers', () => {
  tellSeed()
  for (let round = 0; round < 8; round++)
    expect([...check(simulatedHistory(seed + round, 5, 1_000), RULES)]).toEqual([])
})

test('rejects most answers that are changed afterwards', () => {
  tellSeed()
  const random = randomFrom(seed)
  let caught = 0
  const tries = 60
  for (let round = 0; round < tries; round++) {
    const history = simulatedHistory(seed + round, 3, 500)
    const hits = history.calls.filter(call => call.outcome?.is === 'whole')
    const victim = hits[random(hits.length)] as { -readonly [K in keyof Call]: Call[K] }
    victim.outcome = { is: 'miss' }
    if (!check(history, RULES).next().done) caught++
  }
  expect(caught).toBeGreaterThan(tries / 4)
})
