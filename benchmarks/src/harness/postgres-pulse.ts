// Another process with the same cache: stores one small value after the other.
import { PostgresAdapter } from '@l2/postgres'
import { postgresUrl, STALLS } from './postgres.js'
import { pulse } from './pulse.js'

const adapter = new PostgresAdapter({ url: postgresUrl(), tablePrefix: STALLS, sweepInterval: 0 })
const value = new Uint8Array(16)
const set = (): Promise<void> => adapter.set('pulse', value, { ttl: 3_600_000, tags: ['pulse'] })
// Connecting is no part of it.
await set()
await pulse(set, () => adapter.close())
