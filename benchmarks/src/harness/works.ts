import { mustHit, mustMiss } from './answers.js'
import { atRandom, cycle, eachOf, Keys, shuffled, someValues, tagsOf } from './keys.js'
import type { Subject } from './subject.js'
import type { Work } from './work.js'

/** What is measured, by the names that `--only` knows. */
export const WORKS = {
  get: 'get, hit',
  'get-tagged': 'get of an entry with 3 tags',
  miss: 'get, miss',
  set: 'set of a key that is there',
  'set-tagged': 'set with 3 tags, the same as before',
  'set-new': 'set with 3 tags of a new key',
  delete: 'delete of an entry without tags',
} as const

type WorkName = keyof typeof WORKS

/** The works that one subject can do. */
type Works = Partial<Record<WorkName, Work>>

/** @param count of entries, of each kind of work. */
export function worksOf(subject: Subject, count: number): Works {
  const values = someValues().map(value => subject.toValue?.(value) ?? value)
  const nextValue = cycle(values)
  const set = (key: string): Promise<unknown> => subject.set(key, nextValue())

  const plain = new Keys('plain', count)
  const nextPlain = cycle(atRandom(plain.all))
  const nextAbsent = cycle(new Keys('absent', count).all)
  const works: Works = {
    get: {
      prepare: () => plain.fill(set),
      step: () => subject.get(nextPlain()),
      check: mustHit,
    },
    miss: {
      prepare: () => plain.fill(set),
      step: () => subject.get(nextAbsent()),
      check: mustMiss,
    },
    set: {
      prepare: () => plain.fill(set),
      step: () => set(nextPlain()),
    },
    delete: deleting(subject, set, count),
  }
  if (subject.setTagged === undefined) return works

  const setTagged = subject.setTagged.bind(subject)
  const tagged = new Keys('tagged', count)
  const tags = new Map(tagged.all.map(key => [key, tagsOf(key)]))
  const nextTagged = cycle(atRandom(tagged.all))
  const set3 = (key: string) => setTagged(key, nextValue(), tags.get(key) ?? [])
  return {
    ...works,
    'get-tagged': {
      prepare: () => tagged.fill(set3),
      step: () => subject.get(nextTagged()),
      check: mustHit,
    },
    'set-tagged': {
      prepare: () => tagged.fill(set3),
      step: () => set3(nextTagged()),
    },
    'set-new': adding(subject, key => setTagged(key, nextValue(), tagsOf(key))),
  }
}

/** Deletes keys in random order; those that are gone are stored again before the next slice. */
function deleting(subject: Subject, set: (key: string) => Promise<unknown>, count: number): Work {
  const keys = new Keys('doomed', count)
  let order: string[] = []
  return {
    spare: count / 4,
    async prepare() {
      await keys.fill(set)
      order = shuffled(keys.all)
    },
    step() {
      const key = order.pop()
      if (key === undefined) return undefined
      keys.removed(key)
      return subject.delete(key)
    },
  }
}

/** Stores keys never seen before; before the next slice they are removed. */
function adding(subject: Subject, set: (key: string) => Promise<unknown>): Work {
  let added: string[] = []
  let count = 0
  return {
    async prepare() {
      await eachOf(added, key => subject.delete(key))
      added = []
    },
    step() {
      // Spread over the index as hashed or random names would be, and each one once.
      const key = `new:${(count++ * 7_919) % 10_000_019}`
      added.push(key)
      return set(key)
    },
  }
}
