import { benchmark } from './harness/benchmark.js'

await benchmark([
  { id: 'raw', title: 'better-sqlite3', file: 'raw-sqlite' },
  { id: 'control', title: 'better-sqlite3 (control)', file: 'raw-sqlite' },
  { id: 'turns', title: 'better-sqlite3, one transaction per turn', file: 'raw-sqlite-turns' },
  { id: 'l2', title: '@l2/sqlite', file: 'l2-sqlite' },
])
