// Fills the disk that it is given, together with another program: run by ../full-disk.test.ts.
import { appendFileSync, rmSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { SqliteAdapter } from '@l2/sqlite'

const [disk, maxBytes] = process.argv.slice(2)
const path = join(disk, 'cache.db')
const value = new Uint8Array(1_000)
const adapter = new SqliteAdapter({
  path,
  sweepInterval: 0,
  ...(maxBytes === undefined ? {} : { maxBytes: Number(maxBytes) }),
})
const failures = new Map()
const count = error => failures.set(error.code, (failures.get(error.code) ?? 0) + 1)

/** Sets many entries, and invalidates now and then. */
async function work(from) {
  let done = 0
  for (let i = from; i < from + 15_000; i += 50) {
    const sets = Array.from({ length: 50 }, (_, j) =>
      adapter.set(`key ${i + j}`, value, { tags: ['all', `tag ${i / 50}`] }).then(() => done++),
    )
    await Promise.all(sets.map(set => set.catch(count)))
    await adapter.deleteByTag(`tag ${i / 50 - 3}`).catch(count)
    await adapter.delete(`key ${i}`).catch(count)
  }
  return done
}

/** As another program would, to the last block. */
function fillTheRest() {
  for (let size = 2 ** 20; size >= 512; size /= 2) {
    try {
      for (;;) appendFileSync(join(disk, 'other'), new Uint8Array(size))
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error
    }
  }
}

const alone = await work(0)
const size = statSync(path).size
fillTheRest()
const room = statfsSync(disk).bavail
const crowded = await work(20_000)
const invalidated = await adapter.deleteByTag('all').then(() => true, count)
const survivor = await adapter.get(`key ${34_900}`)
rmSync(join(disk, 'other'))
await adapter.set('last', value)
await adapter.close()
console.log(
  JSON.stringify({
    alone,
    crowded,
    size,
    room,
    invalidated,
    survives: survivor !== undefined,
    failures: Object.fromEntries(failures),
  }),
)
