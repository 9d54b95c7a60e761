// @ts-check
// Does what `child.mjs` can, in a process whose clock is an hour behind.
import { shiftClock } from './shift-clock.mjs'

shiftClock(-3_600_000)
await import('./child.mjs')
