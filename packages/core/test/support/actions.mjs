// What it is told comes over IPC, from tests that are checked.
import { setTimeout as pause } from 'node:timers/promises'
import { randomFrom } from './random.mjs'

/** What `invalidate` does last to an entry, in turn. */
const LAST = ['set', 'delete', 'deleteByTag']

/** How many entries later. */
const BEHIND = 30

/**
 * What the other processes of tests do with adapters of a backend that is a server.
 *
 * @param {(options: any) => any} open an adapter.
 */
export function actionsOn(open) {
  /** Whether to `finish`. */
  let told = false

  return {
    /** Does what the kit's `crash` hook asks of a process; answers after the first set. */
    async setForEver(options, key) {
      const adapter = open(options)
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

    /**
     * Sets entries, each of a name and a tag of its own, and removes two thirds of them some time later,
     * some by the tag; until it is told to `finish`. Answers what was done last to each, where all of it
     * was acknowledged, and when; and what else calls came to.
     */
    async invalidate(options, name) {
      told = false
      const adapter = open(options)
      const report = { done: [], failures: [] }
      const lane = async at => {
        const set = []
        for (let i = 0; !told; i++) {
          try {
            const key = `${name} ${at} ${i}`
            await adapter.set(key, new Uint8Array(100), { tags: [key, 'all'] })
            set.push({ key, last: 'set', at: Date.now() })
            if (set.length <= BEHIND) continue
            const old = set.shift()
            const last = LAST[i % LAST.length]
            if (last !== 'set') {
              await adapter[last](old.key)
              Object.assign(old, { last, at: Date.now() })
            }
            report.done.push(old)
          } catch (error) {
            report.failures.push(error.code ?? String(error))
            await pause(5)
          }
        }
        report.done.push(...set)
      }
      await Promise.all(Array.from({ length: 5 }, (_, at) => lane(at)))
      await adapter.close()
      return report
    },

    finish() {
      told = true
    },

    /** Sets, re-tags, deletes and invalidates at random until `end`, or for ever. */
    async churn(options, { keys, tags, seed, end = Infinity }) {
      const adapter = open(options)
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
  }
}

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
