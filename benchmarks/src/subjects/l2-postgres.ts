import { PostgresAdapter } from '@l2/postgres'
import { postgresUrl, sizeOfTables, tableOf } from '../harness/postgres.js'
import { type Place, type Subject, TTL } from '../harness/subject.js'

/** As its README tells to set it up. */
export const open = (place: Place): Subject => over(place, false)

export const openLogged = (place: Place): Subject => over(place, true)

function over(place: Place, logged: boolean): Subject {
  const adapter = new PostgresAdapter({
    url: postgresUrl(),
    tablePrefix: `${tableOf(place)}_`,
    logged,
  })
  return {
    get: key => adapter.get(key),
    set: (key, value) => adapter.set(key, value as Uint8Array, { ttl: TTL }),
    setTagged: (key, value, tags) => adapter.set(key, value as Uint8Array, { ttl: TTL, tags }),
    delete: key => adapter.delete(key),
    deleteByTag: tag => adapter.deleteByTag(tag),
    usedBytes: () => sizeOfTables(place),
    close: () => adapter.close(),
  }
}
