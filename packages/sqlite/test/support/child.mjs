// Another process, told over IPC what to do: see child.ts. It runs what is published, from dist.

import { SqliteAdapter } from '@l2/sqlite'
import Database from 'better-sqlite3'
import { randomFrom } from '../../../core/test/support/random.mjs'
import { serve } from '../../../core/test/support/serve.mjs'

serve(options => new SqliteAdapter(options), {
  /** Leaves nothing of our own that holds the process. */
  idle() {
    process.removeAllListeners('disconnect')
    setImmediate(() => process.disconnect())
  },

  /** Gives up root's rights. The addon is loaded first: this user may not be able to read it. */
  becomeNobody() {
    new Database(':memory:').close()
    process.setgid(65_534)
    process.setuid(65_534)
  },

  /** Holds the write lock for `ms`; answers once it has it. */
  lock(path, ms) {
    const db = new Database(path)
    db.exec('BEGIN IMMEDIATE')
    setTimeout(() => {
      db.exec('COMMIT')
      db.close()
    }, ms)
  },

  /** Does what the kit's `crash` hook asks of a process; answers after the first set. */
  async setForEver(options, key) {
    const adapter = new SqliteAdapter(options)
    const set = i => adapter.set(key, new Uint8Array(1_000).fill(i), { tags: [`${key}:${i}`] })
    await set(0)
    setImmediate(async () => {
      for (let i = 1; ; i++) {
        await set(i % 3)
        // Lets it hear that its parent is gone.
        if (i % 20 === 0) await new Promise(resolve => setImmediate(resolve))
      }
    })
  },

  /** Sets, re-tags, deletes and invalidates at random until `end`, or for ever. */
  async churn(options, { keys, tags, seed, end = Infinity }) {
    const adapter = new SqliteAdapter(options)
    const random = randomFrom(seed)
    const report = { calls: 0, failures: [] }
    while (Date.now() < end) {
      try {
        await step(adapter, random, keys, tags)
        if (++report.calls % 20 === 0) await new Promise(resolve => setImmediate(resolve))
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
  const value = new Uint8Array(random(3_000)).fill(7)
  return adapter.set(key, value, { ttl: random(3) * 50, tags: [tag(), tag(), tag()] })
}
