// What a worker imports that does all the work but the backend's.
import { MemoryAdapter } from '@l2/core'

export const open = (): MemoryAdapter => new MemoryAdapter()
