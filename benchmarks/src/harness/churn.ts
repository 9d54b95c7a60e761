// One of several processes on one file: reads and writes until the time is up, then reports.
import { SqliteAdapter } from '@l2/sqlite'
import { randomBelow, tagsOf } from './keys.js'
import { type Late, Lateness } from './lateness.js'

/** What a parent tells this process. */
export interface ChurnOptions {
  readonly path: string
  readonly ms: number
}

/** What this process answers. */
export interface ChurnReport {
  readonly calls: number
  readonly errors: Record<string, number>
  /** Gets that answered another key's value, or half of one. */
  readonly wrong: number
  readonly late: Late
}

const LOOPS = 10
const KEYS = 5_000

process.once('message', async (options: ChurnOptions) => {
  const report = await churn(options)
  process.send?.(report, () => process.disconnect())
})

async function churn({ path, ms }: ChurnOptions): Promise<ChurnReport> {
  const adapter = new SqliteAdapter({ path })
  const errors: Record<string, number> = {}
  const draw = randomBelow(100)
  const key = randomBelow(KEYS)
  // Elsewhere in the sequence than the other processes.
  for (let i = 0; i < process.pid % 1_000; i++) key()
  let calls = 0
  let wrong = 0
  const step = async (): Promise<void> => {
    const name = `key:${key()}`
    const dice = draw()
    if (dice < 80) {
      const value = await adapter.get(name)
      if (value !== undefined && !Buffer.from(value).equals(bytesOf(name))) wrong++
    } else if (dice < 95)
      await adapter.set(name, bytesOf(name), { ttl: 60_000, tags: tagsOf(name) })
    else if (dice < 99) await adapter.delete(name)
    else await adapter.deleteByTag(tagsOf(name)[2] as string)
  }
  const lateness = new Lateness()
  const end = Date.now() + ms
  const loop = async (): Promise<void> => {
    while (Date.now() < end) {
      try {
        await step()
        calls++
      } catch (error) {
        const { code = 'unknown' } = error as { code?: string }
        errors[code] = (errors[code] ?? 0) + 1
      }
    }
  }
  await Promise.all(Array.from({ length: LOOPS }, loop))
  const late = lateness.stop()
  await adapter.close()
  return { calls, errors, wrong, late }
}

/** 1 KiB that follows from the key. */
function bytesOf(key: string): Buffer {
  return Buffer.alloc(1_024, key)
}
