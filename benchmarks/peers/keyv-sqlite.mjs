import { join } from 'node:path'
import { KeyvSqlite } from '@keyv/sqlite'
import Keyv from 'keyv'
import { asText } from '../dist/harness/text.js'

const TTL = 3_600_000

/** Through Keyv, as its users call it. Its values are JSON. */
export function open({ folder }) {
  return subjectOver(new KeyvSqlite({ uri: `sqlite://${join(folder, 'keyv.db')}` }))
}

export async function openTuned({ folder }) {
  const store = new KeyvSqlite({ uri: `sqlite://${join(folder, 'keyv.db')}` })
  await store.query('PRAGMA journal_mode = WAL')
  await store.query('PRAGMA synchronous = NORMAL')
  return subjectOver(store)
}

function subjectOver(store) {
  const keyv = new Keyv({ store })
  return {
    toValue: asText,
    get: key => keyv.get(key),
    set: (key, value) => keyv.set(key, value, TTL),
    delete: key => keyv.delete(key),
    close: () => keyv.disconnect(),
  }
}
