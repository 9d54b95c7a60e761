import { join } from 'node:path'
import { SqliteAdapter } from '@l2/sqlite'
import { type Place, type Subject, TTL } from '../harness/subject.js'

/** As its README tells to set it up. */
export function open({ folder }: Place): Subject {
  const adapter = new SqliteAdapter({ path: join(folder, 'cache.db') })
  return {
    get: key => adapter.get(key),
    set: (key, value) => adapter.set(key, value as Uint8Array, { ttl: TTL }),
    setTagged: (key, value, tags) => adapter.set(key, value as Uint8Array, { ttl: TTL, tags }),
    delete: key => adapter.delete(key),
    deleteByTag: tag => adapter.deleteByTag(tag),
    close: () => adapter.close(),
  }
}
