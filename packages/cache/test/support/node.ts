import { MemoryAdapter, MemoryStorage } from '@l2/core'
import { Cache, type CacheOptions } from '../../src/index.js'
import { ControlledAdapter } from '../controlled-adapter.js'

/** A cache, its adapter, what that has underneath, and other nodes over the same storage. */
export function openNode(more: Omit<CacheOptions, 'l2'> = {}) {
  const storage = new MemoryStorage()
  const raw = new MemoryAdapter({ storage, sweepInterval: 0 })
  const l2 = new ControlledAdapter(raw)
  const node = (): Cache => new Cache({ l2: new MemoryAdapter({ storage, sweepInterval: 0 }) })
  return { l2, raw, node, cache: new Cache({ l2, ...more }) }
}
