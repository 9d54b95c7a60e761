import { test } from 'vitest'
import { conformance } from '../src/conformance/index.js'
import { MemoryAdapter, MemoryStorage } from '../src/index.js'

const storage = new MemoryStorage()
for (const { title, run } of conformance({
  open: prefix => new MemoryAdapter({ prefix, storage }),
})) {
  test(title, run)
}
