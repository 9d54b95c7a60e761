import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Crew } from './crew.js'
import type { Report } from './report.js'
import type { Stall } from './stall-meter.js'
import type { Subject } from './subject.js'
import { Tally } from './tally.js'

/** Does the workers' work in its own memory. */
const MEMORY = new URL('memory-open.js', import.meta.url).href

/** What a quiet run may be told. */
export interface QuietOptions {
  readonly seed: number
  /** Worker processes. Default 8. */
  readonly workers?: number
  /** Default 60. */
  readonly seconds?: number
}

/** What a quiet run found. */
export interface QuietReport extends Report {
  /** Of each worker. */
  readonly stalls: readonly Stall[]
  /** Of a process that did the same beside them, and had only its own memory for a backend. */
  readonly withoutBackend: Stall
  /** Of one that did nothing. */
  readonly idle: Stall
}

/**
 * Runs workers against a backend with nothing broken, and tells how long they stalled. What the
 * machine itself costs is what two processes saw beside them that don't use the backend.
 */
export async function fuzzQuietly(subject: Subject, options: QuietOptions): Promise<QuietReport> {
  const { seed, workers = 8, seconds = 60 } = options
  const folders = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'l2-fuzz-'))) as [string, string]
  const [crew, control, idle] = await Promise.all([
    Crew.start(subject.module, workers, 0),
    Crew.start(MEMORY, 1, 0),
    Crew.start(MEMORY, 1, 0),
  ])
  const stage = await subject.stage()
  const tally = new Tally()
  let stalls: Stall[][]
  try {
    const task = { round: 0, seed, scale: subject.scale }
    crew.begin({ ...task, folder: folders[0], config: stage.config })
    control.begin({ ...task, folder: folders[1], config: null })
    idle.begin({ ...task, folder: folders[1], config: null }, 'rest')
    await pause(seconds * 1_000)
    await Promise.all([crew.stop(), control.stop(), idle.stop()])
    stalls = [crew, control, idle].map(each => [...each.stalls])
    await tally.look(crew, stage)
    tally.judge(crew, subject, folders[0])
    if (tally.found.size === 0) tally.checkThatItMeansSomething(subject)
  } finally {
    await Promise.all([crew.end(), control.end(), idle.end(), stage.close()])
    rmSync(folders[1], { recursive: true })
  }
  const [ofWorkers = [], ofControl = [], ofIdle = []] = stalls
  return {
    ...tally,
    seed,
    rounds: 1,
    replay: `pnpm fuzz ${subject.name} --quiet --seed ${seed} --workers ${workers}`,
    stalls: ofWorkers,
    withoutBackend: ofControl[0] as Stall,
    idle: ofIdle[0] as Stall,
  }
}

/** @returns lines for people. */
export function formatStalls({ stalls, withoutBackend, idle }: QuietReport): string {
  const ms = ({ own, longest }: Stall) => `${own.toFixed(1)} (${longest.toFixed(1)})`
  return [
    'longest stalls in ms, without the time that the machine had no processor (with it)',
    `  of each worker: ${stalls.map(ms).join(', ')}`,
    `  of the same work without the backend: ${ms(withoutBackend)}`,
    `  of no work: ${ms(idle)}`,
  ].join('\n')
}
