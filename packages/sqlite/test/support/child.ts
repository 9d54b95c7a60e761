import { type Child, startProgram } from '../../../core/test/support/child.js'

export type { Child }

/** A process that does what `child.mjs` can, killed when the test is over. */
export const startChild = (): Promise<Child> => startProgram(new URL('child.mjs', import.meta.url))
