import type { Place, Subject } from '../harness/subject.js'
import { openDatabase, prepareCalls } from './raw-sqlite.js'

/** The same statements, with one transaction for all writes of a turn of the event loop. */
export function open(place: Place): Subject {
  const db = openDatabase(place)
  const calls = prepareCalls(db)
  let waiting: (() => void)[] = []
  const flush = db.transaction(() => {
    const turn = waiting
    waiting = []
    for (const write of turn) write()
  }).immediate

  // Would report success where the commit fails: good for a figure, not for use.
  const write = <T>(work: () => T): Promise<T> =>
    new Promise(resolve => {
      if (waiting.length === 0) setImmediate(flush)
      waiting.push(() => resolve(work()))
    })
  return {
    get: async key => calls.get(key),
    set: (key, value) => write(() => calls.set(key, value)),
    setTagged: (key, value, tags) => write(() => calls.setTagged(key, value, tags)),
    delete: key => write(() => calls.delete(key)),
    deleteByTag: tag => write(() => calls.deleteByTag(tag)),
    close: async () => db.close(),
  }
}
