import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Call, History, Incident } from './history.js'
import { readLog } from './log.js'

type Begun = { -readonly [K in keyof Call]: Call[K] }

/** Puts the logs of a round together. */
export function readHistory(
  folder: string,
  goneProcesses: ReadonlyMap<string, number>,
  incidents: readonly Incident[],
): History {
  const calls: Call[] = []
  const gone = new Map(goneProcesses)
  for (const file of readdirSync(folder)) {
    const process = basename(file, '.log')
    const begun = new Map<number, Begun>()
    for (const line of readLog(join(folder, file))) {
      if (line.is === 'closed') gone.set(`${process}/${line.instance}`, line.at)
      else if (line.is === 'begin') {
        const { n, work, at: begin } = line
        const instance = `${process}/${line.instance}`
        const call: Begun = { work, process, instance, n, begin, end: Infinity }
        begun.set(n, call)
        calls.push(call)
      } else {
        const call = begun.get(line.n)
        begun.delete(line.n)
        if (call !== undefined) Object.assign(call, { end: line.at, outcome: line.outcome })
      }
    }
  }
  return { calls, gone, incidents }
}
