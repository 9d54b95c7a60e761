import KeyvPostgres from '@keyv/postgres'
import Keyv from 'keyv'
import { POOL, postgresUrl, sizeOfTables, tableOf } from '../dist/harness/postgres.js'
import { asText } from '../dist/harness/text.js'

const TTL = 3_600_000

/** Through Keyv, as its users call it. Its values are JSON. */
export const open = place => subjectOver(place, false)

export const openUnlogged = place => subjectOver(place, true)

function subjectOver(place, useUnloggedTable) {
  const store = new KeyvPostgres({
    uri: postgresUrl(),
    table: tableOf(place),
    max: POOL,
    useUnloggedTable,
  })
  const keyv = new Keyv({ store })
  return {
    toValue: asText,
    get: key => keyv.get(key),
    set: (key, value) => keyv.set(key, value, TTL),
    delete: key => keyv.delete(key),
    usedBytes: () => sizeOfTables(place),
    close: () => keyv.disconnect(),
  }
}
