import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Crew } from './crew.js'
import { KILL_AT_START, WORKER_FAULTS } from './faults.js'
import { Lane } from './lane.js'
import { derivedSeed } from './random.js'
import { formatFinding, type Report } from './report.js'
import type { Stage, Subject } from './subject.js'
import { Tally } from './tally.js'

/** What a run may be told. */
export interface FuzzOptions {
  readonly seed: number
  /** Worker processes. Default 8. */
  readonly workers?: number
  /** It goes on until it has made as many calls. Default 0. */
  readonly operations?: number
  /** It goes on for as long, in seconds. Default 0. */
  readonly seconds?: number
  /** It goes on until each fault came as often. Default 1. */
  readonly faults?: number
  /** A bug to plant (see plants.ts): the run ends with the first round that finds something. */
  readonly plant?: string
  /** ms for which workers work before all stop and what is left is looked at. Default 3 000. */
  readonly roundTime?: number
  /** Is told after each round how it goes. */
  readonly onProgress?: (line: string) => void
}

/**
 * A run has failed that has not got what it wants after as many times its time, at fewer calls a
 * second than this, and after this time, in seconds.
 */
const PATIENCE = 4
const SLOWEST = 100
const LEAST_PATIENCE = 120

/** Runs workers against a backend, breaks things, and looks whether it kept its promises. */
export async function fuzz(subject: Subject, options: FuzzOptions): Promise<Report> {
  const crew = await Crew.start(subject.module, options.workers ?? 8)
  try {
    return await fuzzWith(crew, subject, options)
  } finally {
    await crew.end()
  }
}

/** {@link fuzz} with workers that have been started. */
export function fuzzWith(crew: Crew, subject: Subject, options: FuzzOptions): Promise<Report> {
  return new Run(crew, subject, options).run()
}

class Run {
  readonly #crew: Crew
  readonly #subject: Subject
  readonly #options: FuzzOptions
  readonly #folder = mkdtempSync(join(tmpdir(), 'l2-fuzz-'))
  readonly #start = performance.now()
  readonly #tally = new Tally()
  /** What happens to workers and what happens to the backend, side by side. */
  readonly #lanes: readonly Lane[]
  #rounds = 0

  constructor(crew: Crew, subject: Subject, options: FuzzOptions) {
    this.#crew = crew
    this.#subject = subject
    this.#options = options
    const lists = [[KILL_AT_START], WORKER_FAULTS, subject.faults].filter(list => list.length > 0)
    for (const { name } of lists.flat()) this.#tally.faults.set(name, 0)
    this.#lanes = lists.map((faults, at) => new Lane(derivedSeed(options.seed, at), faults))
  }

  async run(): Promise<Report> {
    while (this.#goesOn()) {
      const known = this.#tally.findings.length
      await this.#round()
      const lines = this.#tally.findings.slice(known).map(formatFinding)
      this.#options.onProgress?.([this.#progress(), ...lines].join('\n'))
    }
    this.#checkThatItMeansSomething()
    const { seed, plant } = this.#options
    const isWorthALook = !this.#hasBug && this.#tally.logs !== undefined
    if (!isWorthALook) rmSync(this.#folder, { recursive: true })
    return {
      ...this.#tally,
      logs: isWorthALook ? this.#tally.logs : undefined,
      seed,
      rounds: this.#rounds,
      replay:
        `pnpm fuzz ${this.#subject.name} --seed ${seed} --workers ${this.#crew.size}` +
        (plant === undefined ? '' : ` --plant ${plant}`),
    }
  }

  get #hasBug(): boolean {
    return this.#options.plant !== undefined || this.#subject.hasBug === true
  }

  get #elapsed(): number {
    return (performance.now() - this.#start) / 1_000
  }

  #goesOn(): boolean {
    const { operations = 0, seconds = 0 } = this.#options
    const patience = Math.max(seconds * PATIENCE, LEAST_PATIENCE, operations / SLOWEST)
    if (this.#rounds === 0) return true
    if (this.#elapsed > patience || (this.#hasBug && this.#tally.found.size > 0)) return false
    return (
      this.#tally.total < operations || this.#elapsed < seconds || this.#rareFaults().length > 0
    )
  }

  #rareFaults(): string[] {
    const { faults = 1 } = this.#options
    return [...this.#tally.faults].filter(([, count]) => count < faults).map(([name]) => name)
  }

  async #round(): Promise<void> {
    const { seed, plant } = this.#options
    const round = this.#rounds++
    const folder = join(this.#folder, String(round))
    mkdirSync(folder)
    const stage = await this.#subject.stage()
    try {
      const { scale } = this.#subject
      this.#crew.begin({ round, seed, folder, config: stage.config, scale, plant })
      await this.#breakThings(stage)
      await this.#crew.stop()
      await this.#tally.look(this.#crew, stage)
    } finally {
      await stage.close()
    }
    this.#tally.judge(this.#crew, this.#subject, folder)
  }

  async #breakThings(stage: Stage): Promise<void> {
    const end = performance.now() + (this.#options.roundTime ?? 3_000)
    const [atStart, ...meanwhile] = this.#lanes
    await this.#inject(atStart as Lane, stage)
    await Promise.all(
      meanwhile.map(async lane => {
        do await this.#inject(lane, stage)
        while (performance.now() < end)
      }),
    )
  }

  async #inject(lane: Lane, { config }: Stage): Promise<void> {
    const { fault, random, quiet } = lane.next()
    const { name, causes = [], loses = false } = fault
    await pause(quiet)
    const begin = this.#crew.now()
    const found = (message: string) => this.#tally.note({ rule: 'storage', message, calls: [] })
    try {
      await fault.inject({ config, random, crew: this.#crew, found })
      this.#tally.faults.set(name, (this.#tally.faults.get(name) ?? 0) + 1)
    } catch (error) {
      found(`${name} did not work: ${error}`)
    }
    this.#crew.incidents.push({ name, begin, end: this.#crew.now(), causes, loses })
  }

  #checkThatItMeansSomething(): void {
    const { faults, found, total } = this.#tally
    if (found.size > 0) return
    const vacuous = (message: string) => this.#tally.note({ rule: 'vacuous', message, calls: [] })
    for (const name of this.#rareFaults())
      vacuous(`too few of a fault: ${name} ${faults.get(name)}`)
    if (total < (this.#options.operations ?? 0)) vacuous(`only ${total} calls`)
    this.#tally.checkThatItMeansSomething(this.#subject)
  }

  #progress(): string {
    const sum = (counts: ReadonlyMap<unknown, number>) =>
      [...counts.values()].reduce((sum, count) => sum + count, 0)
    const { total, faults, found } = this.#tally
    return (
      `${this.#elapsed.toFixed(0)} s, ${this.#rounds} rounds: ` +
      `${total} calls, ${sum(faults)} faults, ${sum(found)} findings`
    )
  }
}
