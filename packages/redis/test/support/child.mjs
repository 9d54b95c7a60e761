// Another process, told over IPC what to do: see child.ts. It runs what is published, from dist.

import { RedisAdapter } from '@l2/redis'
import { randomFrom } from '../../../core/test/support/random.mjs'
import { serve } from '../../../core/test/support/serve.mjs'

serve(options => new RedisAdapter(options), {
  /** Does what the kit's `crash` hook asks of a process; answers after the first set. */
  async setForEver(options, key) {
    const adapter = new RedisAdapter(options)
    const set = i =>
      adapter.set(key, new Uint8Array(1_000).fill(i % 3), { tags: [`${key}:${i % 3}`] })
    await set(0)
    // Several at once, so that there always is one on its way.
    const lane = async from => {
      for (let i = from; ; i += 2) await set(i)
    }
    lane(1)
    lane(2)
  },

  /** Sets, re-tags, deletes and invalidates at random until `end`, or for ever. */
  async churn(options, { keys, tags, seed, end = Infinity }) {
    const adapter = new RedisAdapter(options)
    const random = randomFrom(seed)
    const report = { calls: 0, failures: [] }
    while (Date.now() < end) {
      try {
        await Promise.all(Array.from({ length: 10 }, () => step(adapter, random, keys, tags)))
        report.calls += 10
      } catch (error) {
        report.failures.push(`${error.code} ${error.message}`)
      }
    }
    await adapter.close()
    return report
  },
})

function step(adapter, random, keys, tags) {
  const key = `key ${random(keys)}`
  const tag = () => `tag ${random(tags)}`
  const what = random(20)
  if (what < 8) return adapter.get(key)
  if (what < 9) return adapter.deleteByTag(tag())
  if (what < 11) return adapter.delete(key)
  const value = new Uint8Array(random(40) === 0 ? 20_000 : random(3_000)).fill(7)
  return adapter.set(key, value, { ttl: random(3) * 50, tags: [tag(), tag(), tag()] })
}
