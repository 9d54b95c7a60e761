import type { ForkOptions } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { Child } from './child-process.mjs'

export type { Child }

/** A child for one test, killed when the test is over. */
export async function startChild(options?: ForkOptions): Promise<Child> {
  const child = new Child(options)
  onTestFinished(() => child.kill())
  await child.ready
  return child
}
