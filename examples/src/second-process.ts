import { Cache } from '@l2/cache'
import { SqliteAdapter } from '@l2/sqlite'
import { askAll, type Round } from './borders.js'

/** What the first process sends: a tag to invalidate, or nothing to have all pairs asked for. */
export interface Request {
  deleteByTag?: string
}
export type Reply = Round | { ms: number }

const file = new SqliteAdapter({ path: process.argv[2] ?? 'cache.db' })
const cache = new Cache({ l2: file, defaults: { ttl: '5m' } })
// A cache goes on without its L2; an example that shows it must not.
cache.on('l2Error', ({ error }) => {
  throw error
})

process.on('message', async ({ deleteByTag: tag }: Request) => {
  process.send?.(tag === undefined ? await askAll(cache) : await deleteByTag(tag))
})

process.on('disconnect', async () => {
  await cache.close()
  await file.close()
})

async function deleteByTag(tag: string): Promise<Reply> {
  const start = performance.now()
  await cache.deleteByTag(tag)
  return { ms: performance.now() - start }
}
