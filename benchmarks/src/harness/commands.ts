import { Redis } from 'ioredis'
import { redisUrl } from './redis.js'
import type { Extra } from './suite.js'
import { table } from './table.js'

/** What 1 000 calls at once for one key that nobody has stored cost, where all else is idle. */
export const commands: Extra = {
  name: 'commands',
  async tell(running) {
    const redis = new Redis(redisUrl())
    const rows: string[][] = []
    for (const { row, remote } of running) {
      const before = await executed(redis)
      const made = await remote.do('figure', 'stampede', { folder: '' })
      const sent = since(before, await executed(redis))
      const total = sent.reduce((sum, [, calls]) => sum + calls, 0)
      const each = sent.map(([name, calls]) => `${calls} ${name}`).join(', ')
      rows.push([row.title, `${made}`, `${total}`, each])
    }
    redis.disconnect()
    const head = ['', 'factory runs', 'commands to Redis', 'which']
    return `## 1 000 getOrSet at once of one key that is in neither\n\n${table(head, rows)}`
  },
}

/** Commands that the server has executed so far, by name. */
async function executed(redis: Redis): Promise<Map<string, number>> {
  const stats = await redis.info('commandstats')
  const found = stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)
  return new Map([...found].map(([, name = '', calls]) => [name, Number(calls)]))
}

function since(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): [name: string, calls: number][] {
  return [...after]
    .map(([name, calls]): [string, number] => [name, calls - (before.get(name) ?? 0)])
    .filter(([name, calls]) => calls > 0 && name !== 'info')
}
