import { onTestFinished } from 'vitest'
import { Child } from './child-process.mjs'

export type { Child }

/** A child for one test, killed when the test is over. */
export async function startProgram(program: URL): Promise<Child> {
  const child = new Child(program)
  onTestFinished(() => child.kill())
  await child.ready
  return child
}
