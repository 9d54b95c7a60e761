// @ts-check
// Another process, told over IPC what to do. It runs what is published, from dist.
import { PostgresAdapter } from '@l2/postgres'
import { randomFrom } from '../../../core/test/support/random.mjs'
import { serve } from '../../../core/test/support/serve.mjs'

/** Calls of one turn, so that they share statements. */
const BATCH = 50

serve(options => new PostgresAdapter(options), {
  /** Sets, deletes, sweeps and invalidates in batches of random order until `end`, or for ever. */
  async shuffle(options, { keys, tags, seed, end = Infinity }) {
    const adapter = new PostgresAdapter(options)
    const random = randomFrom(seed)
    const report = { calls: 0, failures: /** @type {string[]} */ ([]) }
    while (Date.now() < end) {
      const batch = Array.from({ length: BATCH }, () => step(adapter, random, keys, tags))
      if (random(4) === 0) batch.push(adapter.deleteByTag(`tag ${random(tags)}`))
      if (random(8) === 0) batch.push(adapter.sweep())
      if (random(30) === 0) batch.push(adapter.clear())
      for (const one of await Promise.allSettled(batch))
        if (one.status === 'rejected') report.failures.push(String(one.reason))
      report.calls += batch.length
    }
    await adapter.close()
    return report
  },
})

/**
 * @param {PostgresAdapter} adapter
 * @param {(bound: number) => number} random
 * @param {number} keys
 * @param {number} tags
 * @returns {Promise<unknown>}
 */
function step(adapter, random, keys, tags) {
  const key = `key ${random(keys)}`
  const tag = () => `tag ${random(tags)}`
  const what = random(10)
  if (what < 2) return adapter.get(key)
  if (what < 3) return adapter.delete(key)
  const value = new Uint8Array(random(40) === 0 ? 20_000 : random(1_000)).fill(7)
  return adapter.set(key, value, { ttl: random(3) * 20, tags: [tag(), tag()] })
}
