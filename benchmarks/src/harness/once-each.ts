import type { Work } from './work.js'

/** Does one step of each work. Rejects where there is nothing to do, or an answer is not right. */
export async function onceEach(works: Readonly<Record<string, Work>>): Promise<void> {
  for (const [name, work] of Object.entries(works)) {
    await work.prepare?.()
    const step = work.step()
    if (step === undefined) throw new Error(`${name} found nothing to do`)
    const answer = await step
    work.check?.(answer)
  }
}
