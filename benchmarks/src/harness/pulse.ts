// Another client of the server: asks for one small value after the other, and reports how long the
// answers took.
import { Redis } from 'ioredis'
import { redisUrl } from './redis.js'

/** In ms. */
export interface Pulse {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

const redis = new Redis(redisUrl())
await redis.set('l2-bench:pulse', 'value', 'PX', 3_600_000)
const times: number[] = []
process.once('message', () => {
  redis.disconnect()
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number): number => sorted[Math.ceil(sorted.length * part) - 1] ?? 0
  const pulse: Pulse = { p50: at(0.5), p99: at(0.99), max: at(1) }
  process.send?.(pulse, () => process.disconnect())
})
process.send?.('ready')
while (process.connected) {
  const start = performance.now()
  await redis.get('l2-bench:pulse')
  times.push(performance.now() - start)
}
